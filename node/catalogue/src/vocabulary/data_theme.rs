//! The data themes of the Publications Office of the European Union: its codes, with labels in our words.
//! The codes are never changed here.

use super::Concept;

/// In the order of the scheme.
pub(super) const CONCEPTS: [Concept; 14] = [
    Concept {
        code: "AGRI",
        labels: [
            "Agriculture, fisheries, forestry and food",
            "Landwirtschaft, Fischerei, Forstwirtschaft und Ernährung",
            "Agriculture, pêche, sylviculture et alimentation",
            "Agricultura, pesca, silvicultura y alimentación",
            "Agricultura, pesca, silvicultura e alimentação",
            "Agricultura, pesca, silvicultura i alimentació",
            "농업·어업·임업·식품",
            "农业、渔业、林业和食品",
        ],
    },
    Concept {
        code: "ECON",
        labels: [
            "Economy and finance",
            "Wirtschaft und Finanzen",
            "Économie et finances",
            "Economía y finanzas",
            "Economia e finanças",
            "Economia i finances",
            "경제·금융",
            "经济与金融",
        ],
    },
    Concept {
        code: "EDUC",
        labels: [
            "Education, culture and sport",
            "Bildung, Kultur und Sport",
            "Éducation, culture et sport",
            "Educación, cultura y deportes",
            "Educação, cultura e desporto",
            "Educació, cultura i esport",
            "교육·문화·체육",
            "教育、文化和体育",
        ],
    },
    Concept {
        code: "ENER",
        labels: ["Energy", "Energie", "Énergie", "Energía", "Energia", "Energia", "에너지", "能源"],
    },
    Concept {
        code: "ENVI",
        labels: [
            "Environment",
            "Umwelt",
            "Environnement",
            "Medio ambiente",
            "Ambiente",
            "Medi ambient",
            "환경",
            "环境",
        ],
    },
    Concept {
        code: "GOVE",
        labels: [
            "Government and public sector",
            "Regierung und öffentlicher Sektor",
            "Gouvernement et secteur public",
            "Gobierno y sector público",
            "Governo e setor público",
            "Govern i sector públic",
            "정부·공공부문",
            "政府与公共部门",
        ],
    },
    Concept {
        code: "HEAL",
        labels: ["Health", "Gesundheit", "Santé", "Salud", "Saúde", "Salut", "보건", "卫生健康"],
    },
    Concept {
        code: "INTR",
        labels: [
            "International issues",
            "Internationale Themen",
            "Questions internationales",
            "Asuntos internacionales",
            "Assuntos internacionais",
            "Afers internacionals",
            "국제 문제",
            "国际事务",
        ],
    },
    Concept {
        code: "JUST",
        labels: [
            "Justice, legal system and public safety",
            "Justiz, Rechtssystem und öffentliche Sicherheit",
            "Justice, système juridique et sécurité publique",
            "Justicia, sistema judicial y seguridad pública",
            "Justiça, sistema jurídico e segurança pública",
            "Justícia, sistema jurídic i seguretat pública",
            "사법·법제·공공안전",
            "司法、法律制度和公共安全",
        ],
    },
    Concept {
        code: "REGI",
        labels: [
            "Regions and cities",
            "Regionen und Städte",
            "Régions et villes",
            "Regiones y ciudades",
            "Regiões e cidades",
            "Regions i ciutats",
            "지역·도시",
            "地区与城市",
        ],
    },
    Concept {
        code: "SOCI",
        labels: [
            "Population and society",
            "Bevölkerung und Gesellschaft",
            "Population et société",
            "Población y sociedad",
            "População e sociedade",
            "Població i societat",
            "인구·사회",
            "人口与社会",
        ],
    },
    Concept {
        code: "TECH",
        labels: [
            "Science and technology",
            "Wissenschaft und Technologie",
            "Science et technologie",
            "Ciencia y tecnología",
            "Ciência e tecnologia",
            "Ciència i tecnologia",
            "과학·기술",
            "科学技术",
        ],
    },
    Concept {
        code: "TRAN",
        labels: [
            "Transport",
            "Verkehr",
            "Transports",
            "Transporte",
            "Transportes",
            "Transport",
            "교통",
            "交通运输",
        ],
    },
    Concept {
        code: "OP_DATPRO",
        labels: [
            "Provisional data",
            "Vorläufige Daten",
            "Données provisoires",
            "Datos provisionales",
            "Dados provisórios",
            "Dades provisionals",
            "임시 데이터",
            "临时数据",
        ],
    },
];
