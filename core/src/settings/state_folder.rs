//! The folder that this machine has for a run into a cluster.

use std::path::PathBuf;

use url::Url;

/// The folder for a run into a cluster, unless another one is named: below `$XDG_STATE_HOME/snapfill` or
/// `~/.local/state/snapfill`, so that a rerun from any folder finds it. None where there is no home folder.
pub fn state_folder(target: &Url) -> Option<PathBuf> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let base = set("XDG_STATE_HOME").or_else(|| Some(set("HOME")?.join(".local/state")))?;
    Some(base.join("snapfill").join(name_of(target)))
}

/// A folder's name for an address.
fn name_of(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    let port = url.port_or_known_default().unwrap_or_default();
    let text = format!("{host}_{port}{}", url.path().trim_end_matches('/'));
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || ".-_".contains(letter);
    text.chars().map(|letter| if allowed(letter) { letter } else { '_' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_has_a_folder_of_its_own() {
        let name = |text| name_of(&Url::parse(text).unwrap());
        assert_eq!(name("https://search.example.com"), "search.example.com_443");
        assert_eq!(name("http://[::1]:9200/a/b/"), "___1__9200_a_b");
    }
}
