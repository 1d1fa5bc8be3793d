//! What Seoul tells: one number, the city on the telephone's screen, and why cities should share. Facts only.

use wego_proto::record::v1::Stage;

use super::{key, tale::Tale};
use crate::demo::cities::Founder;

pub(super) fn tales() -> Vec<Tale> {
    vec![dasan(), mobile(), federation()]
}

fn dasan() -> Tale {
    Tale::new(Founder::Seoul, key::DASAN, Stage::Scaled, 2007)
        .office("120다산콜센터", "call centre")
        .topics(&["call-centre", "public-services"])
        .title(&[
            ("ko", "120 다산콜센터: 서울의 모든 질문을 한 번호로"),
            ("en", "120 Dasan Call Center: one number for every question to the city"),
        ])
        .summary(&[
            ("ko", "시민은 어느 부서의 일인지 몰라도 120 한 번호로 밤낮없이 묻고 답을 듣습니다."),
            ("en", "People ask the city anything under 120, day and night, without knowing which office is in charge."),
        ])
        .problem(&[
            ("ko", "부서마다 전화번호가 달라 시민이 담당자를 찾아 여러 번 다시 걸어야 했습니다."),
            ("en", "Every office had its own number, and callers were passed from one to the next until they found the right one."),
        ])
        .approach(&[
            ("ko", "대표번호를 120으로 모으고, 상담원이 함께 쓰는 답변집을 만들어 부서가 스스로 고치게 했습니다."),
            ("en", "The numbers were brought together under 120. Agents share one book of answers, which the offices themselves keep up to date."),
        ])
        .results(&[
            ("ko", "대부분의 문의가 다른 부서로 넘어가지 않고 첫 통화에서 끝나며, 수어와 외국어 상담도 같은 번호에서 이루어집니다."),
            ("en", "Most questions are answered in the first call. Sign language and foreign languages are served under the same number."),
        ])
        .what_failed(&[
            ("ko", "부서가 답변을 고치지 않으면 상담원도 틀린 답을 할 수밖에 없었습니다."),
            ("en", "Where an office did not keep its answers up to date, the agents could only give the old ones."),
        ])
        .conditions(&[
            ("ko", "답변집에 책임지는 사람이 부서마다 있어야 하고, 시장이 직접 챙겨야 합니다."),
            ("en", "Each office names who is responsible for its answers, and the head of the city stands behind it."),
        ])
}

fn mobile() -> Tale {
    Tale::new(Founder::Seoul, "seoul-mobile", Stage::Live, 2010)
        .office("서울특별시 정보화기획단", "information planning office")
        .topics(&["mobile", "public-services", "service-use"])
        .title(&[("ko", "모바일 서울: 손안의 행정"), ("en", "Mobile Seoul: the city on the telephone's screen")])
        .summary(&[
            ("ko", "교통, 문화, 민원 안내를 휴대전화 화면에 맞춘 하나의 창구로 제공합니다."),
            ("en", "Traffic, culture and how to apply for things, in one place made for small screens."),
        ])
        .problem(&[
            ("ko", "휴대전화로는 큰 화면용 누리집을 읽기 어려웠습니다."),
            ("en", "Pages made for large screens could hardly be read on a telephone."),
        ])
        .approach(&[
            ("ko", "자주 찾는 서비스부터 골라 작은 화면에 맞게 다시 만들고 한 주소에 모았습니다."),
            ("en", "The services people ask for most were made anew for small screens and put under one address."),
        ])
        .results(&[
            ("ko", "길 위에서 필요한 안내를 바로 찾을 수 있습니다."),
            ("en", "People find on the way what they need on the way."),
        ])
        .what_failed(&[
            ("ko", "기종마다 따로 만든 화면은 유지하기가 어려웠습니다."),
            ("en", "Separate versions for each make of telephone were hard to maintain."),
        ])
        .conditions(&[
            ("ko", "화면보다 먼저 그 뒤의 자료가 열려 있고 최신이어야 합니다."),
            ("en", "The data behind the screen must be open and current first."),
        ])
}

fn federation() -> Tale {
    Tale::new(Founder::Seoul, "seoul-wego", Stage::Live, 2010)
        .office("서울특별시", "secretariat of the federation")
        .topics(&["best-practices", "expert-exchange", "training"])
        .title(&[
            ("ko", "WeGO 창립: 전자정부 도시들의 연합"),
            ("en", "Founding WeGO: a federation of cities for e-government"),
        ])
        .summary(&[
            ("ko", "2010년 9월, 쉰 개 도시가 서울에 모여 전자정부의 경험을 나누는 기구를 세웠습니다."),
            ("en", "In September 2010 fifty cities met in Seoul and founded an organisation to share what works in e-government."),
        ])
        .problem(&[
            ("ko", "도시마다 같은 문제를 따로 풀었고, 앞선 도시와 시작하는 도시의 차이가 벌어졌습니다."),
            ("en", "Each city solved the same problems alone, and the distance between those ahead and those beginning grew."),
        ])
        .approach(&[
            ("ko", "서울이 의장을, 일곱 도시가 부의장을 맡고, 우수사례와 교육, 타당성 조사, 전문가 교류를 함께 하기로 했습니다."),
            ("en", "Seoul presides, seven cities are vice-presidents; together they share practices, training, feasibility studies and experts."),
        ])
        .results(&[
            ("ko", "규약과 의장단이 정해졌고, 시작하는 도시가 물을 곳이 생겼습니다."),
            ("en", "There are statutes and offices, and a city that begins has somebody to ask."),
        ])
        .what_failed(&[
            ("ko", "총회 사이에는 무엇이 실제로 쓰이는지 알기 어렵습니다."),
            ("en", "Between two assemblies it is hard to see what is really being used, and by whom."),
        ])
        .conditions(&[
            ("ko", "어느 도시도 가운데에 서지 않고, 각자 자기 말에 서명해야 합니다."),
            ("en", "No city stands in the middle, and each signs what it says."),
        ])
}
