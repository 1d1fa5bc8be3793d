//! Claims about the operators file: strangers are nobody, and an edit never damages it.

use wego_proto::key::SecretKey;
use zeroize::Zeroizing;

use super::*;

fn key(seed: u8) -> PublicKey {
    SecretKey::from_seed(&Zeroizing::new([seed; 32])).public()
}

fn operator(name: &str, seed: u8, role: Role) -> Operator {
    Operator { name: name.to_owned(), key: key(seed), role }
}

/// Three operators, with a comment about the third.
fn three() -> String {
    let text = added("# People of the city hall.\n", &operator("Awa", 1, Role::Admin)).unwrap();
    let text = added(&text, &operator("portal", 2, Role::Reader)).unwrap();
    added(&format!("{text}\n# On leave until May.\n"), &operator("민준 \"MJ\"", 3, Role::Editor)).unwrap()
}

#[test]
fn a_key_has_the_role_the_file_gives_it_and_a_stranger_has_none() {
    let operators = Operators::parse(&three()).unwrap();
    assert_eq!(operators.role_of(&key(1)), Some(("Awa", Role::Admin)));
    assert_eq!(operators.role_of(&key(3)), Some(("민준 \"MJ\"", Role::Editor)));
    assert_eq!(operators.role_of(&key(9)), None);
    assert!(Role::Reader < Role::Editor && Role::Editor < Role::Admin);
}

#[test]
fn an_empty_file_admits_nobody() {
    assert!(Operators::parse("").unwrap().is_empty());
}

#[test]
fn one_bad_operator_refuses_the_whole_file() {
    let cases = [
        ("role = \"admin\"", "role = \"root\""),
        ("name = \"Awa\"", "name = \"portal\""),
        ("name = \"Awa\"", "name = \"A\\u001bwa\""),
        ("name = \"Awa\"", "name = \"Awa\"\nshell = \"bash\""),
    ];
    for (good, bad) in cases {
        let text = three().replacen(good, bad, 1);
        assert_ne!(text, three());
        assert!(Operators::parse(&text).is_err(), "{bad}");
    }
    let doubled = three().replace(&key(2).to_string(), &key(1).to_string());
    assert!(matches!(Operators::parse(&doubled).unwrap_err(), OperatorsError::Twice { .. }));
    let weak = three().replace(&key(2).to_string(), &format!("01{}", "00".repeat(31)));
    assert!(matches!(Operators::parse(&weak).unwrap_err(), OperatorsError::Key { .. }));
}

#[test]
fn more_operators_than_the_bound_are_refused() {
    let block = |n: usize| format!("[[operator]]\nname = \"{n}\"\nkey = \"{}\"\nrole = \"reader\"\n", key(1));
    let text: String = (0..=OPERATORS_MAX).map(block).collect();
    assert!(matches!(Operators::parse(&text).unwrap_err(), OperatorsError::TooMany { found: 1_025 }));
}

#[test]
fn removing_one_leaves_the_others_and_their_comments() {
    let text = removed(&three(), "portal").unwrap();
    assert!(text.contains("# On leave until May.") && text.contains("# People of the city hall."), "{text}");
    let operators = Operators::parse(&text).unwrap();
    assert_eq!(operators.role_of(&key(2)), None);
    assert_eq!(operators.len(), 2);
    assert!(matches!(removed(&text, "portal").unwrap_err(), OperatorsError::Unknown { .. }));
}

#[test]
fn the_last_admin_cannot_be_removed() {
    assert!(matches!(removed(&three(), "Awa").unwrap_err(), OperatorsError::LastAdmin { .. }));
}

#[test]
fn a_name_or_key_is_added_once() {
    assert!(added(&three(), &operator("Awa", 7, Role::Reader)).is_err());
    assert!(added(&three(), &operator("Fatou", 1, Role::Reader)).is_err());
}

#[test]
fn a_file_in_another_layout_is_read_but_not_edited() {
    let inline = format!("operator = [{{ name = \"Awa\", key = \"{}\", role = \"admin\" }}]\n", key(1));
    assert_eq!(Operators::parse(&inline).unwrap().len(), 1);
    assert!(matches!(removed(&inline, "Awa").unwrap_err(), OperatorsError::Layout));
}

#[test]
fn a_replaced_file_is_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("operators.toml");
    assert!(matches!(Operators::load(&path).unwrap_err(), OperatorsError::Read { .. }));
    std::fs::write(&path, "").unwrap();
    Editing::begin(&path).unwrap().replace(&three()).unwrap();
    assert_eq!(Operators::load(&path).unwrap(), Operators::parse(&three()).unwrap());
}

#[test]
fn a_change_that_begins_meanwhile_waits_and_neither_is_undone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("operators.toml");
    std::fs::write(&path, three()).unwrap();
    let first = Editing::begin(&path).unwrap();
    let (done, wait) = std::sync::mpsc::channel();
    let second = std::thread::spawn({
        let path = path.clone();
        move || {
            let file = Editing::begin(&path).unwrap();
            let text = removed(file.text(), "portal").unwrap();
            file.replace(&text).unwrap();
            done.send(()).unwrap();
        }
    });
    // Long enough for one that does not wait.
    wait.recv_timeout(std::time::Duration::from_millis(500)).expect_err("it waits");
    let text = added(first.text(), &operator("Mo", 4, Role::Reader)).unwrap();
    first.replace(&text).unwrap();
    second.join().unwrap();
    let after = Operators::load(&path).unwrap();
    let mut names: Vec<_> = after.iter().map(|operator| operator.name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["Awa", "Mo", "민준 \"MJ\""]);
}
