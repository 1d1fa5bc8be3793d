//! Claims about configurations: what is refused, how it is told, and that the example file tells the truth.

use super::*;

fn load(text: &str) -> Result<Config, ConfigError> {
    load_with(text, &[])
}

fn load_with(text: &str, env: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wego-node.toml");
    std::fs::write(&path, text).unwrap();
    let env = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Config::load(&path, &env)
}

const LEAST: &str = "[node]\nhandle = \"kr-seoul\"\n";

/// The example with every `#key = value` line taken in.
fn example_in_full() -> String {
    let taken_in = |line: &str| {
        let key = line.strip_prefix('#').filter(|rest| rest.starts_with(|c: char| c.is_ascii_lowercase()));
        key.filter(|rest| rest.contains(" = ")).unwrap_or(line).to_owned()
    };
    EXAMPLE.lines().map(taken_in).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_example_names_every_key_with_its_default() {
    let full: toml::Table = toml::from_str(&example_in_full()).unwrap();
    for key in RawConfig::known_keys() {
        let (section, name) = key.split_once('.').unwrap();
        assert!(
            full.get(section).and_then(|section| section.get(name)).is_some(),
            "{key} is not in the example"
        );
    }
    let none = Environment::new();
    let full = RawConfig::parse(&example_in_full(), Path::new("example"), &none).unwrap();
    let bare = RawConfig::parse(EXAMPLE, Path::new("example"), &none).unwrap();
    let defaults =
        RawConfig { node: RawNode { handle: "kr-seoul".into(), ..Default::default() }, ..Default::default() };
    assert_eq!(full, defaults);
    assert_eq!(bare, defaults);
    Config::check(full, Path::new("/etc/wego-node/wego-node.toml")).unwrap();
}

#[test]
fn an_unknown_key_is_named_with_its_line_and_what_was_meant() {
    let error = load("[node]\nhandle = \"kr-seoul\"\n\n[store]\ncashe_mib = 3\n").unwrap_err();
    assert!(error.to_string().ends_with("wego-node.toml:5: unknown key `store.cashe_mib`"), "{error}");
    assert_eq!(error.hint(), "did you mean `store.cache_mib`?");
}

#[test]
fn an_unknown_section_and_a_key_outside_sections_are_refused() {
    let error = load(&format!("{LEAST}[sotre]\ncache_mib = 3\n")).unwrap_err();
    assert!(error.to_string().ends_with(":3: unknown key `sotre`"), "{error}");
    let error = load("handle = \"kr-seoul\"\n").unwrap_err();
    assert!(error.to_string().ends_with(":1: unknown key `handle`"), "{error}");
    assert_eq!(error.hint(), "did you mean `node.handle`?");
}

#[test]
fn a_value_of_the_wrong_type_is_told_with_its_line() {
    let error = load(&format!("{LEAST}[peers]\ndegree = \"many\"\n")).unwrap_err();
    assert!(matches!(&error, ConfigError::Syntax { line: 4, .. }), "{error:?}");
    let error = load("[node]\nhandle = \n").unwrap_err();
    assert!(matches!(&error, ConfigError::Syntax { line: 2, .. }), "{error:?}");
}

#[test]
fn relative_paths_are_relative_to_the_file() {
    let raw = RawConfig::parse(
        "[node]\nhandle = \"kr-seoul\"\ndata_dir = \"/var/lib/x\"\n",
        Path::new("x"),
        &Environment::new(),
    );
    let config = Config::check(raw.unwrap(), Path::new("/etc/wego-node/wego-node.toml")).unwrap();
    assert_eq!(config.node.keys_dir, Path::new("/etc/wego-node/keys"));
    assert_eq!(config.node.data_dir, Path::new("/var/lib/x"));
}

#[test]
fn every_number_has_a_range_that_is_kept() {
    for key in RawConfig::known_keys() {
        let (section, name) = key.split_once('.').unwrap();
        let table = toml::Table::try_from(RawConfig::default()).unwrap();
        if !table[section][name].is_integer() {
            continue;
        }
        let error = load(&format!("{LEAST}[{section}]\n{name} = 99999999999\n")).unwrap_err();
        assert!(matches!(&error, ConfigError::Range { .. }), "{key}: {error}");
        assert!(error.to_string().contains(&key), "{error}");
        assert!(load(&format!("{LEAST}[{section}]\n{name} = -1\n")).is_err(), "{key} below nothing");
    }
}

#[test]
fn a_handle_is_essential_and_plain() {
    assert!(matches!(load("").unwrap_err(), ConfigError::Missing { key: "node.handle" }));
    assert!(matches!(load("[node]\nhandle = \"Séoul\"\n").unwrap_err(), ConfigError::Handle { .. }));
}

#[test]
fn the_environment_overrides_the_file() {
    let config = load_with(
        &format!("{LEAST}[store]\ncache_mib = 32\n"),
        &[("WEGO_NODE_STORE_CACHE_MIB", "128"), ("WEGO_NODE_LISTEN_PORTAL", "off"), ("PATH", "/bin")],
    )
    .unwrap();
    assert_eq!(config.store.cache_bytes, 128 * MIB);
    assert_eq!(config.listen.portal, None);
}

#[test]
fn a_mistyped_variable_is_refused_and_a_foreign_one_is_not() {
    let error = load_with(LEAST, &[("WEGO_NODE_STORE_CASHE_MIB", "1")]).unwrap_err();
    assert_eq!(error.to_string(), "unknown environment variable WEGO_NODE_STORE_CASHE_MIB");
    assert_eq!(error.hint(), "did you mean `WEGO_NODE_STORE_CACHE_MIB`?");
    let error = load_with(LEAST, &[("WEGO_NODE_STORE_CACHE_MIB", "lots")]).unwrap_err();
    assert!(matches!(error, ConfigError::Environment { .. }));
    // What Kubernetes sets for a service called wego-node.
    load_with(LEAST, &[("WEGO_NODE_SERVICE_HOST", "10.0.0.1"), ("WEGO_NODE_PORT", "tcp://10.0.0.1:7400")])
        .unwrap();
}

#[test]
fn addresses_are_checked_and_not_shared() {
    let error = load(&format!("{LEAST}[listen]\npeers = \"seoul.go.kr:7400\"\n")).unwrap_err();
    assert!(matches!(error, ConfigError::Address { key: "listen.peers", .. }));
    let error = load(&format!("{LEAST}[listen]\nportal = \"127.0.0.1:7401\"\n")).unwrap_err();
    assert!(matches!(error, ConfigError::SameAddress { .. }));
    load(&format!("{LEAST}[listen]\npeers = \"127.0.0.1:0\"\nclients = \"127.0.0.1:0\"\n")).unwrap();
}

#[test]
fn log_settings_are_checked_before_the_start() {
    let error = load(&format!("{LEAST}[log]\nformat = \"xml\"\n")).unwrap_err();
    assert!(matches!(error, ConfigError::LogFormat { .. }));
    let error = load(&format!("{LEAST}[log]\nfilter = \"wego_node=loud\"\n")).unwrap_err();
    assert!(matches!(error, ConfigError::LogFilter { .. }));
}
