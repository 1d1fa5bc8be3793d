//! How one record looks on a screen.

use wego_proto::{
    record::v1::{Adoption, Core, Dataset, LangText, Money, Practice},
    v1::{self, record::Kind},
};

use super::{adopters, erased_by, hex, kind_of, position, signed};
use crate::{
    context::Context,
    error::Failure,
    form::{core::topic_word, pick},
    output::{self, Table, one_line, paragraph},
    words::Word as _,
};

/// Prints a record: what it is and who signed it, its texts, its facts, who adopted it.
pub(crate) fn print_record(view: &v1::RecordView, lang: &str, cx: &mut Context) -> Result<(), Failure> {
    let now_ms = cx.now_ms();
    let mut page = Page { lang, text: standing(view, now_ms), facts: Table::pairs() };
    match view.record.as_ref().and_then(|record| record.kind.as_ref()) {
        Some(Kind::Practice(practice)) => page.practice(practice),
        Some(Kind::Adoption(adoption)) => page.adoption(adoption),
        Some(Kind::Dataset(dataset)) => page.dataset(dataset),
        None => page.text.push_str(
            "This record has no content that can be shown: it was erased, or is of a newer kind.\n",
        ),
    }
    page.signed(view, now_ms);
    let Page { text, facts, .. } = page;
    cx.print(&(text + "\n"))?;
    cx.print_table(facts)?;
    if view.adoptions.is_empty() {
        return Ok(());
    }
    cx.print("\n")?;
    cx.print_table(adopters::table(&view.adoptions, lang))
}

/// What became of a record that does not stand any more: the first that its reader must know.
fn standing(view: &v1::RecordView, now_ms: u64) -> String {
    if view.erased {
        let by = view.erased_by.as_ref().map(|by| format!(" {}", erased_by(by, now_ms))).unwrap_or_default();
        return format!(
            "ERASED{by}: its contents are gone everywhere; `wego erase status` says where not yet.\n\n"
        );
    }
    match (view.retracted, one_line(&view.retract_reason)) {
        (false, _) => String::new(),
        (true, reason) if reason.is_empty() => "WITHDRAWN by its owner, who gave no reason.\n\n".to_owned(),
        (true, reason) => format!("WITHDRAWN by its owner: {reason}\n\n"),
    }
}

struct Page<'a> {
    lang: &'a str,
    text: String,
    facts: Table,
}

impl Page<'_> {
    fn practice(&mut self, practice: &Practice) {
        let core = practice.core.clone().unwrap_or_default();
        self.head(&core);
        self.section("Problem", &practice.problem);
        self.section("What was done", &practice.approach);
        self.section("Results", &practice.results);
        self.section("What failed", &practice.what_failed);
        self.section("Conditions for success", &practice.conditions);
        self.section("Lessons", &practice.lessons);
        self.section("More", &core.body);
        self.fact("stage", practice.stage().word());
        self.number("started", u64::try_from(practice.started_year).unwrap_or_default());
        self.fact("owner", &practice.owner_organisation);
        self.money("cost", practice.cost_total.as_ref());
        self.money("cost per year", practice.cost_per_year.as_ref());
        self.fact("staff (FTE)", &practice.fte);
        self.number("months to live", practice.months_to_live.into());
        self.number("population served", practice.population_served);
        self.number("evidence (1-5)", u64::try_from(practice.evidence).unwrap_or_default());
        for metric in &practice.headline {
            let value = format!("{} {} ({})", metric.value, metric.unit, metric.year);
            self.facts.row([pick(&metric.label, self.lang), &value]);
        }
        self.tail(&core);
    }

    fn adoption(&mut self, adoption: &Adoption) {
        self.text += &format!("Adoption of practice {}\n", one_line(&adoption.target_id));
        self.section("What was changed", &adoption.changed);
        self.section("What was reused", &adoption.reused);
        self.section("Why it was withdrawn", &adoption.reason_withdrawn);
        self.fact("stage", adoption.stage().word());
        self.fact("since", &adoption.since);
        self.money("cost", adoption.cost.as_ref());
        self.fact("staff (FTE)", &adoption.fte);
        self.number("would recommend (1-5)", adoption.recommend.into());
    }

    fn dataset(&mut self, dataset: &Dataset) {
        let core = dataset.core.clone().unwrap_or_default();
        self.head(&core);
        self.section("Description", &core.body);
        self.fact("identifier", &dataset.identifier);
        let publisher = std::iter::once(&dataset.publisher).chain(&dataset.publisher_within);
        self.fact("publisher", &publisher.map(String::as_str).collect::<Vec<_>>().join(" · "));
        self.fact("state", dataset.state().word());
        self.fact("access", &dataset.access_level);
        self.fact("licence of the data", &dataset.dataset_licence);
        self.fact("rights", &dataset.rights);
        self.fact("frequency", &dataset.frequency);
        self.fact("modified", &dataset.modified);
        self.fact("issued", &dataset.issued);
        self.fact("spatial", &output::cut(&dataset.spatial, 200));
        self.fact("landing page", &dataset.landing_page);
        for distribution in &dataset.distributions {
            let url = [&distribution.download_url, &distribution.access_url];
            let url = url.into_iter().find(|url| !url.is_empty()).map_or("", String::as_str);
            let url = if url.is_empty() { "(no link)" } else { url };
            self.fact("get it", &format!("{} {url}", distribution.format));
            self.fact("  under", &distribution.licence);
        }
        self.tail(&core);
    }

    fn head(&mut self, core: &Core) {
        self.text += &format!("{}\n", one_line(pick(&core.title, self.lang)));
        let summary = pick(&core.summary, self.lang);
        if !summary.is_empty() {
            self.text += &format!("\n{}\n", paragraph(summary));
        }
    }

    fn tail(&mut self, core: &Core) {
        let topics: Vec<String> = core.topics.iter().map(topic_word).collect();
        self.fact("topics", &topics.join(", "));
        self.fact("keywords", &core.keywords.join(", "));
        if let Some(place) = &core.jurisdiction {
            self.fact("holds for", &format!("{} {} {}", place.level().word(), place.country, place.place));
        }
        for link in &core.links {
            self.fact("link", &format!("{} ({})", link.url, link.rel));
        }
        for relation in &core.relations {
            self.fact(&relation.r#type.replace('_', " "), &relation.target);
        }
        for contact in &core.contacts {
            self.fact("contact", &format!("{} {}", contact.role, contact.public_url));
        }
        self.fact("licence of the text", &core.licence);
        if let Some(from) = &core.provenance {
            self.fact("imported from", &format!("{} ({})", from.imported_from, from.source_id));
        }
        let langs: Vec<&str> = core.title.iter().map(|title| title.lang.as_str()).collect();
        if langs.len() > 1 {
            self.fact("also in", &langs.join(", "));
        }
    }

    fn signed(&mut self, view: &v1::RecordView, now_ms: u64) {
        let kind = view.record.as_ref().map_or("record", |record| kind_of(record).word());
        let versions = if view.versions == 1 { "version" } else { "versions" };
        self.fact("id", &format!("{} ({kind}, {} {versions})", hex(&view.record_id), view.versions));
        let Some(from) = &view.provenance else { return };
        let at = position(from.at).unwrap_or_default();
        let city = pick(&from.city, self.lang);
        let signed = signed(now_ms, from.dated());
        let verified = if from.verified { "verified" } else { "NOT verified" };
        self.fact("signed by", &format!("{} ({city}) at {at}, {signed}, {verified}", from.handle));
        self.fact("data seen", &output::ago(now_ms, from.origin_seen_ms));
    }

    fn section(&mut self, heading: &str, texts: &[LangText]) {
        let text = pick(texts, self.lang);
        if !text.is_empty() {
            self.text += &format!("\n{heading}\n");
            for line in paragraph(text).lines() {
                self.text += format!("  {line}").trim_end();
                self.text.push('\n');
            }
        }
    }

    fn fact(&mut self, name: &str, value: &str) {
        if !value.trim().is_empty() {
            self.facts.row([name, value.trim()]);
        }
    }

    fn number(&mut self, name: &str, value: u64) {
        if value != 0 {
            self.facts.row([name, &value.to_string()]);
        }
    }

    fn money(&mut self, name: &str, money: Option<&Money>) {
        if let Some(money) = money {
            self.fact(name, &format!("{} {} ({})", money.amount, money.currency, money.price_year));
        }
    }
}
