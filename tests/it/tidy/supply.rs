//! What `deny.toml` bans, looked up in the lock file: the part of `cargo deny` that needs no network.

use std::collections::BTreeMap;

/// Packages in `lock` that `deny` bans, stand below a floor, or come twice where they may not.
pub(super) fn findings(deny: &str, lock: &str) -> Vec<String> {
    let deny: toml::Table = toml::from_str(deny).unwrap();
    let lock: toml::Table = toml::from_str(lock).unwrap();
    let packages = lock["package"].as_array().unwrap();
    let bans = deny["bans"]["deny"].as_array().unwrap();
    bans.iter().flat_map(|ban| judge(ban, packages)).collect()
}

fn judge(ban: &toml::Value, packages: &[toml::Value]) -> Vec<String> {
    let spec = ban["crate"].as_str().unwrap();
    let (name, floor) = spec.split_once(":<").map_or((spec, None), |(name, floor)| (name, Some(floor)));
    let found: Vec<_> = packages.iter().filter(|package| package["name"].as_str() == Some(name)).collect();
    let version = |package: &toml::Value| package["version"].as_str().unwrap().to_owned();
    if let Some(floor) = floor {
        let below = found.iter().filter(|package| numbers(&version(package)) < numbers(floor));
        return below.map(|package| format!("{name} {} is below {floor}", version(package))).collect();
    }
    if ban.get("deny-multiple-versions").is_some() {
        let twice = found.len() > 1;
        return twice.then(|| format!("{name} is there {} times", found.len())).into_iter().collect();
    }
    if found.is_empty() {
        return Vec::new();
    }
    let Some(wrappers) = ban.get("wrappers").and_then(toml::Value::as_array) else {
        return vec![format!("{name} is banned")];
    };
    let users = users_of(packages).remove(name).unwrap_or_default();
    let uninvited = users.into_iter().filter(|user| !wrappers.iter().any(|w| w.as_str() == Some(user)));
    uninvited.map(|user| format!("{user} must not use {name}")).collect()
}

/// Who names each package among its dependencies.
fn users_of(packages: &[toml::Value]) -> BTreeMap<String, Vec<String>> {
    let mut users: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for package in packages {
        let dependencies = package.get("dependencies").and_then(toml::Value::as_array);
        for dependency in dependencies.into_iter().flatten() {
            // "name", or "name version" where there are several.
            let name = dependency.as_str().unwrap().split(' ').next().unwrap();
            users.entry(name.to_owned()).or_default().push(package["name"].as_str().unwrap().to_owned());
        }
    }
    users
}

fn numbers(version: &str) -> Vec<u64> {
    let plain = version.split(['-', '+']).next().unwrap_or_default();
    plain.split('.').map(|part| part.parse().unwrap()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(deny: &str, lock: &[(&str, &str, &str)]) -> Vec<String> {
        let package = |(name, version, uses): &(&str, &str, &str)| {
            format!("[[package]]\nname = \"{name}\"\nversion = \"{version}\"\ndependencies = [{uses}]\n")
        };
        let lock: String = lock.iter().map(package).collect();
        findings(&format!("[bans]\ndeny = [{{ {deny} }}]\n"), &lock)
    }

    #[test]
    fn what_is_below_a_floor_is_found() {
        let floor = "crate = \"h2:<0.4.16\"";
        assert_eq!(found(floor, &[("h2", "0.4.9", "")]), ["h2 0.4.9 is below 0.4.16"]);
        assert!(found(floor, &[("h2", "0.4.20", "")]).is_empty());
    }

    #[test]
    fn what_is_banned_or_there_twice_is_found() {
        assert_eq!(found("crate = \"zip\"", &[("zip", "1.0.0", "")]).len(), 1);
        let once = "crate = \"rustls\", deny-multiple-versions = true";
        assert_eq!(found(once, &[("rustls", "0.23.1", ""), ("rustls", "0.24.0", "")]).len(), 1);
        assert!(found(once, &[("rustls", "0.23.1", "")]).is_empty());
    }

    #[test]
    fn a_user_that_was_not_invited_is_found() {
        let ban = "crate = \"sled\", wrappers = [\"wego-node\"]";
        let lock =
            [("sled", "0.34.7", ""), ("wego-node", "0.1.0", "\"sled\""), ("wego-cli", "0.1.0", "\"sled\"")];
        assert_eq!(found(ban, &lock), ["wego-cli must not use sled"]);
    }
}
