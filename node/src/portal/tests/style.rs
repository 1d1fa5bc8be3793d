//! Claims about the stylesheet: small, readable in both schemes, usable on a phone.

use std::collections::BTreeMap;

const STYLE: &str = include_str!("../assets/style.css");

/// What a page on a bad link should not cost more than.
const STYLE_BYTES_MAX: usize = 16 * 1024;

/// WCAG 2.2, success criterion 1.4.3.
const CONTRAST_MIN: f64 = 4.5;

#[test]
fn the_stylesheet_is_small_and_loads_nothing() {
    assert!(STYLE.len() < STYLE_BYTES_MAX, "{} bytes", STYLE.len());
    for loading in ["url(", "@import", "@font-face", "expression", "http://", "https://"] {
        assert!(!STYLE.contains(loading), "{loading}");
    }
}

#[test]
fn every_declared_pair_of_colours_has_the_contrast_of_wcag_aa_in_both_schemes() {
    let light = colours(STYLE.split("@media").next().unwrap());
    let dark_block = STYLE.split("(prefers-color-scheme: dark)").nth(1).unwrap();
    let dark = colours(&dark_block[..dark_block.find("\n}\n").unwrap()]);
    assert_eq!(
        light.keys().collect::<Vec<_>>(),
        dark.keys().collect::<Vec<_>>(),
        "both schemes name the same colours"
    );
    let pairs: Vec<(&str, &str)> = STYLE.split("contrast ").skip(1).filter_map(pair).collect();
    assert!(pairs.len() >= 20, "{} pairs", pairs.len());
    for (ink, ground) in pairs {
        for (scheme, colours) in [("light", &light), ("dark", &dark)] {
            let ratio = contrast(colours[ink], colours[ground]);
            assert!(ratio >= CONTRAST_MIN, "{ink} on {ground} has {ratio:.2} in the {scheme} scheme");
        }
    }
}

#[test]
fn every_colour_that_carries_text_is_in_a_declared_pair() {
    let declared = STYLE.split("*/").next().unwrap();
    let inks = STYLE.split("; color: var(").chain(STYLE.split("{ color: var(")).skip(1);
    for ink in inks.filter_map(|rest| rest.split(')').next()).filter(|ink| ink.starts_with("--")) {
        assert!(declared.contains(&format!("{ink} on ")), "{ink}");
    }
}

#[test]
fn the_style_serves_keyboards_phones_paper_and_both_schemes() {
    for part in [
        ":focus-visible",
        ".skip:focus",
        "@media print",
        "prefers-color-scheme: dark",
        "overflow-wrap: anywhere",
        "max-width: 70ch",
        "line-height: 1.6",
        "forced-colors",
        "prefers-reduced-motion",
    ] {
        assert!(STYLE.contains(part), "{part}");
    }
}

fn pair(rest: &str) -> Option<(&str, &str)> {
    let (ink, rest) = rest.split_once(" on ")?;
    let ground = rest.split([';', ' ', '\n']).next()?;
    ink.starts_with("--").then_some((ink, ground))
}

fn colours(block: &str) -> BTreeMap<&str, (f64, f64, f64)> {
    let declarations = block.split(';').filter_map(|part| part.rsplit_once(": #"));
    declarations
        .filter_map(|(name, digits)| Some((name.rsplit([' ', '\n', '{']).next()?, rgb(digits.get(..6)?)?)))
        .filter(|(name, _)| name.starts_with("--"))
        .collect()
}

fn rgb(digits: &str) -> Option<(f64, f64, f64)> {
    let channel =
        |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).ok().map(|value| f64::from(value) / 255.0);
    Some((channel(0)?, channel(2)?, channel(4)?))
}

fn contrast(left: (f64, f64, f64), right: (f64, f64, f64)) -> f64 {
    let (left, right) = (luminance(left), luminance(right));
    (left.max(right) + 0.05) / (left.min(right) + 0.05)
}

/// Relative luminance as WCAG defines it.
fn luminance((r, g, b): (f64, f64, f64)) -> f64 {
    let linear = |c: f64| if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) };
    0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b)
}

#[test]
fn the_measure_of_contrast_is_that_of_wcag() {
    assert!((contrast((0.0, 0.0, 0.0), (1.0, 1.0, 1.0)) - 21.0).abs() < 0.01);
    assert!((contrast(rgb("767676").unwrap(), (1.0, 1.0, 1.0)) - 4.54).abs() < 0.01);
}
