//! Text to words: one tokenizer for what is indexed and for what is asked.
//!
//! Alphabetic scripts give folded words. Scripts written without spaces, and Korean, whose particles stick to the
//! word, give single characters and overlapping pairs; a longer query is then a phrase of pairs. It must never
//! guess a language, and never treat a query otherwise than a text.

use std::collections::VecDeque;

use tantivy::tokenizer::{Token, TokenStream, Tokenizer};
use unicode_normalization::char::is_combining_mark;

use self::fold::{Forms, cut, forms, ideograph, normalised};

mod fold;
mod hanzi;

pub use self::fold::WORD_CHARS_MAX;

/// One piece of a text, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// A word of an alphabetic script, or a number.
    Word(Word),
    /// Adjoining characters of a script without spaces between words.
    Run(Vec<char>),
}

/// A folded word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// In lower case, with its accents: what stems are made from.
    pub written: String,
    /// Without accents.
    pub plain: String,
    /// With ä as ae and so on, where that differs.
    pub digraph: Option<String>,
    /// The whole hyphenated word that this one opens, written in one: `egovernment` for `e-government`.
    pub joined: Option<String>,
}

impl Word {
    /// All ways it may stand in the index.
    pub fn forms(&self) -> impl Iterator<Item = &str> {
        [Some(self.plain.as_str()), self.digraph.as_deref()].into_iter().flatten()
    }

    /// Whether it may be misspelt: codes and numbers may not.
    #[must_use]
    pub fn is_plain_language(&self) -> bool {
        self.plain.chars().all(|c| c.is_alphabetic() || is_combining_mark(c))
    }
}

impl Part {
    /// Whether it is Korean, where spaces between words are a matter of taste.
    #[must_use]
    pub fn is_hangul(&self) -> bool {
        matches!(self, Self::Run(chars) if chars.iter().all(|c| matches!(c, '\u{ac00}'..='\u{d7a3}')))
    }

    /// Positions it takes in a text.
    #[must_use]
    pub fn width(&self) -> usize {
        match self {
            Self::Word(_) => 1,
            Self::Run(chars) => chars.len(),
        }
    }
}

/// The parts of a text.
#[must_use]
pub fn parts(text: &str) -> Vec<Part> {
    let mut raw = raw_parts(text);
    drop_elisions(&mut raw);
    let joins = hyphen_joins(&raw);
    raw.into_iter()
        .zip(joins)
        .map(|(raw, joined)| match raw.content {
            Content::Run(chars) => Part::Run(chars),
            Content::Word(word) => {
                let Forms { plain, digraph } = forms(&word);
                let joined = joined.map(|word| forms(&word).plain);
                Part::Word(Word { written: cut(word), plain, digraph, joined })
            }
        })
        .collect()
}

/// A lower-case word without accents.
#[must_use]
pub fn folded(word: &str) -> String {
    forms(word).plain
}

/// The whole text as keys for equality, in each of its forms: words are divided by single spaces, scripts that use
/// spaces loosely by none.
#[must_use]
pub fn whole(parts: &[Part]) -> Vec<String> {
    let plain = join(parts, |word| &word.plain);
    let digraph = join(parts, |word| word.digraph.as_ref().unwrap_or(&word.plain));
    if plain == digraph { vec![plain] } else { vec![plain, digraph] }
}

fn join(parts: &[Part], form: impl Fn(&Word) -> &String) -> String {
    let mut joined = String::new();
    let mut after_word = false;
    for part in parts {
        let is_word = matches!(part, Part::Word(_));
        if !joined.is_empty() && (is_word || after_word) {
            joined.push(' ');
        }
        match part {
            Part::Word(word) => joined.push_str(form(word)),
            Part::Run(chars) => joined.extend(chars),
        }
        after_word = is_word;
    }
    joined
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Before {
    Gap,
    Apostrophe,
    Hyphen,
}

#[derive(Debug)]
enum Content {
    Word(String),
    Run(Vec<char>),
}

#[derive(Debug)]
struct Raw {
    before: Before,
    content: Content,
}

fn raw_parts(text: &str) -> Vec<Raw> {
    let mut raw: Vec<Raw> = Vec::new();
    let mut before = Before::Gap;
    let mut open = false;
    let text = normalised(text);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let next_is_word = chars.peek().is_some_and(|next| is_word(*next));
        match c {
            _ if is_unspaced(c) => {
                push_run(&mut raw, open, before, ideograph(c));
                (open, before) = (true, Before::Gap);
            }
            _ if is_word(c) => {
                push_word(&mut raw, open, before, c);
                (open, before) = (true, Before::Gap);
            }
            // The Catalan col·laboració is one word.
            '·' if open && chars.peek() == Some(&'l') && ends_in_l(&raw) => {}
            '\'' | '’' | '‘' | 'ʼ' | '`' if open && next_is_word => {
                (open, before) = (false, Before::Apostrophe);
            }
            '-' | '‐' | '\u{2011}' if open && next_is_word => (open, before) = (false, Before::Hyphen),
            // A soft hyphen or a joiner is not seen, so it does not divide.
            '\u{ad}' | '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}' => {}
            _ => (open, before) = (false, Before::Gap),
        }
    }
    raw
}

fn push_run(raw: &mut Vec<Raw>, open: bool, before: Before, c: char) {
    match raw.last_mut() {
        Some(Raw { content: Content::Run(chars), .. }) if open => chars.push(c),
        _ => raw.push(Raw { before, content: Content::Run(vec![c]) }),
    }
}

fn push_word(raw: &mut Vec<Raw>, open: bool, before: Before, c: char) {
    match raw.last_mut() {
        Some(Raw { content: Content::Word(word), .. }) if open => word.push(c),
        _ => raw.push(Raw { before, content: Content::Word(c.to_string()) }),
    }
}

fn ends_in_l(raw: &[Raw]) -> bool {
    matches!(raw.last(), Some(Raw { content: Content::Word(word), .. }) if word.ends_with('l'))
}

/// Articles and pronouns that French, Catalan and Italian shorten before a vowel.
const ELIDED: [&str; 20] = [
    "l", "d", "s", "n", "m", "t", "j", "c", "qu", "lorsqu", "puisqu", "jusqu", "quoiqu", "dell", "nell",
    "all", "sull", "dall", "un", "quest",
];

/// Takes away what stands before an elision and the English 's, so that the noun is found.
fn drop_elisions(raw: &mut Vec<Raw>) {
    let apostrophe_follows: Vec<bool> =
        raw.iter().skip(1).map(|next| next.before == Before::Apostrophe).chain([false]).collect();
    let mut follows = apostrophe_follows.into_iter();
    raw.retain(|part| {
        let follows = follows.next().unwrap_or(false);
        let Content::Word(word) = &part.content else { return true };
        let elided = follows && ELIDED.contains(&word.as_str());
        let genitive = part.before == Before::Apostrophe && word == "s";
        !elided && !genitive
    });
}

/// For each part, the hyphenated word it opens, written in one.
fn hyphen_joins(raw: &[Raw]) -> Vec<Option<String>> {
    let mut joins: Vec<Option<String>> = vec![None; raw.len()];
    let mut opener = 0;
    for (at, part) in raw.iter().enumerate() {
        let Content::Word(word) = &part.content else { continue };
        if part.before != Before::Hyphen || at == 0 {
            opener = at;
            continue;
        }
        let Content::Word(first) = &raw[opener].content else { continue };
        joins[opener].get_or_insert_with(|| first.clone()).push_str(word);
    }
    joins
}

fn is_word(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_alphanumeric();
    }
    !is_unspaced(c) && (c.is_alphanumeric() || is_combining_mark(c))
}

/// Scripts whose words are not divided by spaces, and Hangul, whose particles are not divided from the word.
fn is_unspaced(c: char) -> bool {
    matches!(c,
        '\u{1100}'..='\u{11ff}' | '\u{3130}'..='\u{318f}' | '\u{a960}'..='\u{a97f}' | '\u{ac00}'..='\u{d7ff}' // Hangul
        | '\u{2e80}'..='\u{2fdf}' | '\u{3005}'..='\u{3007}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' // Han
        | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}'
        | '\u{3041}'..='\u{309f}' | '\u{30a1}'..='\u{30fa}' | '\u{30fc}'..='\u{30ff}' | '\u{31f0}'..='\u{31ff}' // kana
        | '\u{0e00}'..='\u{0eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}') // Thai, Lao, Burmese, Khmer
}

/// The tokenizer of the text fields.
#[derive(Debug, Clone, Default)]
pub struct TextTokenizer;

/// The tokens of one text.
#[derive(Debug)]
pub struct Tokens {
    rest: VecDeque<(usize, String)>,
    token: Token,
}

impl Tokenizer for TextTokenizer {
    type TokenStream<'a> = Tokens;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> Tokens {
        let mut rest = VecDeque::new();
        let mut position = 0;
        for part in parts(text) {
            let width = part.width();
            emit(part, position, &mut rest);
            position += width;
        }
        Tokens { rest, token: Token::default() }
    }
}

fn emit(part: Part, position: usize, tokens: &mut VecDeque<(usize, String)>) {
    match part {
        Part::Word(Word { plain, digraph, joined, .. }) => {
            tokens.extend([Some(plain), digraph, joined].into_iter().flatten().map(|form| (position, form)));
        }
        Part::Run(chars) => {
            for (at, c) in chars.iter().enumerate() {
                tokens.push_back((position + at, c.to_string()));
                if let Some(next) = chars.get(at + 1) {
                    tokens.push_back((position + at, [*c, *next].iter().collect()));
                }
            }
        }
    }
}

impl TokenStream for Tokens {
    fn advance(&mut self) -> bool {
        let Some((position, text)) = self.rest.pop_front() else { return false };
        self.token.position = position;
        self.token.text = text;
        true
    }

    fn token(&self) -> &Token {
        &self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        &mut self.token
    }
}

#[cfg(test)]
mod tests;
