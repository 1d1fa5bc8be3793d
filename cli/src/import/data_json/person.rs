//! Persons in texts: their names, their telephone numbers, and addresses that are disguised.
//!
//! There is no sure sign of a name. What is removed stands where only a name stands (behind "Data Steward:", before
//! an address) or is the contact's; what looks like an organisation is never removed.

use std::sync::LazyLock;

use regex::{Captures, Regex};

use super::clean::{EMAIL, NAME, PHONE};

/// Words of organisations and of what they publish, as parts of names.
const ORGANISATIONS: &str = " administration agency association authority authorities board borough branch bureau \
    center centre chamber city clerk college commission committee community company consortium corporation council \
    county court data datos department dept desk development directorate district division duty education engineering \
    environment federation foundation geographic gis government group hall health help helpdesk house inc information \
    initiative institute institution laboratory library llc ltd management metro ministry municipal municipality \
    museum network office official open operations organisation organization parish park parks partnership planning \
    police portal program programme project province public records region research resources safety school section \
    service services society state statistics support survey systems team technology town township transit \
    transport transportation trust unit university utilities village water works amt behörde gmbh landkreis \
    ministerium stadt stadtwerke referat verwaltung bibliothèque commune communauté département direction mairie \
    métropole ministère préfecture région ville agencia ayuntamiento biblioteca departamento dirección gobierno \
    instituto intendencia ministerio municipalidad municipio oficina provincia secretaría servicio sistema \
    universidad câmara diretoria empresa governo prefeitura secretaria serviço universidade ajuntament diputació \
    generalitat oficina servei of the for and & ";
/// Last letters of organisations where they are written together.
const ENDINGS: &str = "시군구도청국과부원처실팀센터소공사시청區区市局部院委处處所课課府省县縣室";
/// Words beside names that are none.
const BESIDE: &str = " contact ask email e-mail mail call phone telephone tel fax please by from to at with see \
    write data steward custodian owner manager author creator name person title role position or is via inquiries \
    questions for more information mr mrs ms dr prof contacter contactez kontakt contacto ";

/// Digits of a telephone number within a city.
const PHONE_DIGITS_MIN: usize = 7;

/// Signs between the parts of a disguised address.
const AT: &str = r"(?:\s*[\[({<]\s*(?i:at|ät|arroba|arobase|@)\s*[\])}>]\s*|\s+@\s+)";
const DOT: &str =
    r"(?:\s*[\[({<]\s*(?i:dot|punkt|point|punto|ponto|\.)\s*[\])}>]\s*|\s+(?i:dot|punkt)\s+|\.)";
const SPOKEN_DOT: &str =
    r"(?:\s*[\[({<]\s*(?i:dot|punkt|point|punto|ponto|\.)\s*[\])}>]\s*|\s+(?i:dot|punkt)\s+)";
const WORD: &str = r"[\p{L}\p{N}_%+'-]+";

/// What a spoken dot has.
const SPOKEN_DOTS: [&str; 5] = ["dot", "punkt", "point", "punto", "ponto"];

static DISGUISED: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    patterns(&[
        format!(r"(?:mailto:)?{WORD}(?:{DOT}{WORD})*{AT}{WORD}(?:{DOT}{WORD})*{DOT}\p{{L}}{{2,}}"),
        format!(r"{WORD}(?:{DOT}{WORD})*\s+(?i:at)\s+{WORD}(?:{SPOKEN_DOT}{WORD})*{SPOKEN_DOT}\p{{L}}{{2,}}"),
    ])
});

static PHONES: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    let label = "phone|telephone|tel|call|fax|mobile|cell|téléphone|tél|telefon|teléfono|telefone|telèfon|móvil|\
                 celular|handy|전화번호|전화|휴대폰|电话|電話|手机";
    patterns(&[
        // With the code of a country.
        r"()(\+\d{1,3}[\s().-]*(?:\d[\s().-]*){5,12}\d)".to_owned(),
        // Behind a word for it.
        format!(
            r"((?i:\b(?:{label})s?(?:\s*(?:no|nr|n°|number))?[.:：]*\s*(?:is\s+)?))(\(?\d[\d\s().-]{{5,16}}\d)"
        ),
        // As North America groups them.
        r"((?:^|[^\d./=-]))(\(\d{3}\)\s?\d{3}[-. ]\d{4}|[2-9]\d{2}[-.][2-9]\d{2}[-.]\d{4})\b".to_owned(),
    ])
});

/// A name in letters that have capitals: two to four words, or the last one first.
const CAPITALS: &str = r"\p{Lu}[\p{L}'’.-]*(?:[ \t]+(?:(?:de|del|da|di|van|von|der|la|le)[ \t]+)*\p{Lu}[\p{L}'’.-]*){1,3}|\p{Lu}[\p{L}'’-]+,[ \t]+\p{Lu}[\p{L}'’.-]*";
/// A name in letters that have none.
const SYLLABLES: &str = r"[\p{Hangul}\p{Han}]+";

static NAMED: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    let roles = "steward|custodian|contact|analyst|coordinator|ansprechpartner(?:in)?|kontaktperson|kontakt|contacto|\
                  responsable|contato|responsável|persona de contacto|personne à contacter";
    let named = "owner|author|creator|manager|maintainer|editor|compiler";
    let eastern = "담당자|작성자|관리자|문의|联系人|負責人|负责人|聯絡人";
    patterns(&[
        format!(
            r"((?i:\b(?:(?:data[ \t]+)?(?:{roles})(?:[ \t]+(?:person|name))?|(?:{named})[ \t]+name))[ \t]*[:：][ \t]*)({CAPITALS})()"
        ),
        format!(r"((?:{eastern})[ \t]*[:：]?[ \t]*)({SYLLABLES})()"),
        format!(
            r"()({CAPITALS})([ \t,;:(<–-]{{1,4}}(?:(?i:at|on|via|e-?mail|phone|tel)[.:]?[ \t]*)?\[(?:e-mail|telephone) removed\])"
        ),
    ])
});

/// Letters with which the eastern labels begin.
const EASTERN_SIGNS: [char; 8] = ['담', '작', '관', '문', '联', '負', '负', '聯'];

/// The patterns are constants; each is tried by a test.
fn patterns(texts: &[String]) -> Vec<Regex> {
    texts.iter().filter_map(|text| Regex::new(text).ok()).collect()
}

/// `text` without addresses such as `jane [at] city [dot] example`, and how many there were.
pub(super) fn without_disguised_emails(text: &str) -> (String, usize) {
    let (mut text, mut removed) = (text.to_owned(), 0);
    let lower = text.to_lowercase();
    let at = ["@", "[at", "(at", "{at", "<at", "[ at", "( at", "arroba", "arobase", "ät"]
        .iter()
        .any(|at| lower.contains(at));
    let spoken = lower.contains(" at ") && SPOKEN_DOTS.iter().any(|dot| lower.contains(dot));
    if !(at || spoken) {
        return (text, removed);
    }
    for pattern in DISGUISED.iter() {
        text = pattern
            .replace_all(&text, |_: &Captures<'_>| {
                removed += 1;
                EMAIL
            })
            .into_owned();
    }
    (text, removed)
}

/// `text` without telephone numbers, and how many there were.
pub(super) fn without_phones(text: &str) -> (String, usize) {
    let (mut text, mut removed) = (text.to_owned(), 0);
    if text.bytes().filter(u8::is_ascii_digit).count() < PHONE_DIGITS_MIN {
        return (text, removed);
    }
    for pattern in PHONES.iter() {
        text = pattern
            .replace_all(&text, |found: &Captures<'_>| {
                if !is_phone(&found[2]) {
                    return found[0].to_owned();
                }
                removed += 1;
                format!("{}{PHONE}", &found[1])
            })
            .into_owned();
    }
    (text, removed)
}

/// Neither a decimal number nor a day or a span of years.
fn is_phone(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let decimal = text.trim_start_matches('+').parse::<f64>().is_ok() && text.contains('.');
    let years = text.get(..4).is_some_and(|year| (1900..=2100).contains(&year.parse().unwrap_or(0)));
    let dated = years && text[4..].trim_start().starts_with(['-', '.', ' ']) && digits <= 8;
    (PHONE_DIGITS_MIN..=15).contains(&digits) && !decimal && !dated
}

/// `text` without the names of persons, and how many there were. What is found is known from then on.
pub(super) fn without_names(text: &str, known: &mut Vec<String>) -> (String, usize) {
    let (mut text, mut removed) = (text.to_owned(), 0);
    let labelled = text.contains([':', '：', '[']) || text.contains(EASTERN_SIGNS);
    for pattern in NAMED.iter().filter(|_| labelled) {
        let whole = text.clone();
        text = pattern
            .replace_all(&whole, |found: &Captures<'_>| {
                let start = found.get(0).map_or(0, |found| found.start());
                let named = if goes_on(&whole[..start]) { None } else { name_in(&found[2]) };
                let Some((before, name, after)) = named else { return found[0].to_owned() };
                removed += 1;
                if !known.iter().any(|known| known == name) {
                    known.push(name.to_owned());
                }
                format!("{}{before}{NAME}{after}{}", &found[1], &found[3])
            })
            .into_owned();
    }
    let lower = if known.is_empty() { String::new() } else { text.to_lowercase() };
    for name in known.iter() {
        // Patterns are made only for names that may be there.
        if !words(name).all(|word| lower.contains(&word.to_lowercase())) {
            continue;
        }
        let words: Vec<String> = words(name).map(regex::escape).collect();
        let backwards = words.split_last().map(|(last, first)| format!(r"{last},?\s+{}", first.join(r"\s+")));
        let forwards = words.join(r"\s+");
        let either = format!(r"(?i)\b(?:{forwards}|{})\b", backwards.unwrap_or_default());
        let Ok(pattern) = Regex::new(&either) else { continue };
        removed += pattern.find_iter(&text).count();
        text = pattern.replace_all(&text, NAME).into_owned();
    }
    (text, removed)
}

/// Whether a name has begun before: as in "Office of Adult Education".
fn goes_on(before: &str) -> bool {
    let last = before.split_whitespace().next_back().unwrap_or_default().to_lowercase();
    ["of", "the", "for", "and", "&", "de", "des", "du", "del", "da", "do", "für", "und"]
        .contains(&last.as_str())
}

/// The person in what matched, and what stands before and after the name.
fn name_in(found: &str) -> Option<(&str, &str, &str)> {
    let mut parts: Vec<(usize, &str)> = Vec::new();
    let mut next = 0;
    for word in found.split([' ', '\t', ',']) {
        let at = next;
        next += word.len() + 1;
        if word.is_empty() {
            continue;
        }
        match (is_among(BESIDE, word), parts.is_empty()) {
            (true, true) => {}
            (true, false) => break,
            (false, _) => parts.push((at, word)),
        }
    }
    let (first, last) = (parts.first()?, parts.last()?);
    let (start, end) = (first.0, last.0 + last.1.len());
    let end = start + found[start..end].trim_end_matches(['.', ',']).len();
    is_person(&found[start..end]).then(|| (&found[..start], &found[start..end], &found[end..]))
}

/// Whether a name is a person's, as far as a name shows.
pub(super) fn is_person(name: &str) -> bool {
    let plain = name.chars().all(|c| c.is_alphabetic() || " .,'’-".contains(c));
    let words: Vec<&str> = words(name).collect();
    if !plain || words.iter().any(|word| is_among(ORGANISATIONS, word)) {
        return false;
    }
    let eastern = |c: char| matches!(c, '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}');
    if let [word] = words.as_slice() {
        let letters = word.chars().count();
        return (2..=4).contains(&letters)
            && word.chars().all(eastern)
            && !word.ends_with(|c| ENDINGS.contains(c));
    }
    let capital = words.iter().filter(|word| word.starts_with(char::is_uppercase)).count();
    (2..=5).contains(&words.len()) && capital >= 2
}

/// Whether a name is no person's for certain: it has a word of an organisation, or is a single word.
pub(super) fn is_organisation(name: &str) -> bool {
    let words: Vec<&str> = words(name).collect();
    let known = words.iter().any(|word| is_among(ORGANISATIONS, word));
    known || name.contains(['&', '/']) || (words.len() == 1 && !is_person(name))
}

/// Whether two names are the same, whichever word stands first.
pub(super) fn is_same(one: &str, other: &str) -> bool {
    let sorted = |name: &str| {
        let mut words: Vec<String> = words(name).map(str::to_lowercase).collect();
        words.sort();
        words
    };
    sorted(one) == sorted(other)
}

fn words(name: &str) -> impl Iterator<Item = &str> {
    name.split(|c: char| c.is_whitespace() || c == ',').filter(|word| !word.is_empty())
}

fn is_among(list: &str, word: &str) -> bool {
    let word = word.trim_end_matches(['.', ':']).to_lowercase();
    list.contains(&format!(" {word} "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_is_one() {
        assert_eq!((DISGUISED.len(), PHONES.len(), NAMED.len()), (2, 3, 3));
    }

    #[test]
    fn disguised_addresses_go_and_other_words_stay() {
        let addresses = [
            "jane.roe [at] city [dot] example",
            "jane dot roe at city dot example",
            "jane(at)city.example",
            "jane @ city.example",
            "jane {AT} data.city {DOT} example",
        ];
        for address in addresses {
            let text = format!("Ask ({address}) now");
            assert_eq!(without_disguised_emails(&text), (format!("Ask ({EMAIL}) now"), 1), "{address}");
        }
        for kept in [
            "Public Art @art.example",
            "meet at noon. Bring it",
            "5 @ 3.50",
            "table (a) see.also",
            "at city.example",
            "the data at x.y",
        ] {
            assert_eq!(without_disguised_emails(kept), (kept.to_owned(), 0));
        }
    }

    #[test]
    fn telephone_numbers_go_and_other_numbers_stay() {
        for number in
            ["+1 (215) 555-0142", "+82-2-120-0000", "215-555-0142", "(215) 555-0142", "215.555.0142"]
        {
            assert_eq!(without_phones(&format!("At {number}.")), (format!("At {PHONE}."), 1), "{number}");
        }
        for (text, clean) in [
            ("Phone 555-0142.", "Phone "),
            ("Tel.: 030 1234567.", "Tel.: "),
            ("전화: 02-120-1234.", "전화: "),
        ] {
            assert_eq!(without_phones(text), (format!("{clean}{PHONE}."), 1));
        }
        let numbers = [
            "2010-2024",
            "call 2019-12-31",
            "39.952583, -75.165222",
            "+39.952583",
            "call 311",
            "1,234,567 rows",
            "978-3-16-148410-0",
            "EPSG 4326 25832",
        ];
        for kept in numbers {
            assert_eq!(without_phones(kept), (kept.to_owned(), 0));
        }
    }

    #[test]
    fn names_go_where_only_names_stand_and_organisations_stay() {
        let table = [
            (
                "Data Steward: Jane Roe, Data Steward Email: [e-mail removed].",
                "Data Steward: [name removed], Data Steward Email: [e-mail removed].",
            ),
            (
                "Data Steward Name: Jane Q. Roe Data Steward Email: [e-mail removed]",
                "Data Steward Name: [name removed] Data Steward Email: [e-mail removed]",
            ),
            (
                "Contact Jane Roe ([e-mail removed]) or call.",
                "Contact [name removed] ([e-mail removed]) or call.",
            ),
            ("Ansprechpartnerin: Müller, Erika", "Ansprechpartnerin: [name removed]"),
            ("담당자: 홍길동 전화", "담당자: [name removed] 전화"),
            ("Jane Roe made it. Contact: Jane Roe", "[name removed] made it. Contact: [name removed]"),
        ];
        for (text, clean) in table {
            assert_eq!(without_names(text, &mut Vec::new()).0, clean);
        }
        for kept in [
            "Contact: Water Department, City Hall",
            "Data Steward: GIS Team [e-mail removed]",
            "Philadelphia Police [e-mail removed]",
            "Rivers and Lakes of New York",
            "the Office of Adult Learning at [telephone removed]",
            "담당자: 도시계획국",
        ] {
            assert_eq!(without_names(kept, &mut Vec::new()), (kept.to_owned(), 0));
        }
        let mut known = vec!["Jane Roe".to_owned()];
        assert_eq!(
            without_names("By ROE, Jane and jane  roe; Janet Roe", &mut known),
            ("By [name removed] and [name removed]; Janet Roe".to_owned(), 2)
        );
    }

    #[test]
    fn a_person_is_told_from_an_office() {
        for person in ["Jane Roe", "Roe, Jane", "Ludwig van Beethoven", "J. P. O'Neill", "이순신", "王小明"]
        {
            assert!(is_person(person), "{person}");
        }
        for office in [
            "City office",
            "Open Data Program",
            "SEPTA",
            "Stadt Köln",
            "서울시",
            "도시계획국",
            "AT&T",
            "Person 7",
            "",
        ] {
            assert!(!is_person(office), "{office}");
        }
        assert!(is_same("Roe, Jane", "jane roe") && !is_same("Jane Roe", "Jane Doe"));
    }
}
