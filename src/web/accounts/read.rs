//! From documents to fields of accounts.

use std::path::{Component, Path, PathBuf};

use serde_json::Value;

use crate::config::parse_size;
use crate::domain::{Acl, Mount, Quotas, SavedList, Zone};
use crate::web::error::{ApiError, FieldFault};
use crate::web::words::{Message, expected_one_of, says};

/// Gathers what is wrong, so that all of it is said at once.
#[derive(Default)]
pub struct Reader {
    faults: Vec<FieldFault>,
}

/// What JSON's numbers hold exactly, with room to spare.
const LARGEST: u64 = 1 << 52;
const MAX_KEYS: usize = 16_384;
const MAX_VOLUMES: usize = 50;
/// Where jobs have what is ours.
const OUR_MOUNTS: [&str; 3] = ["/mnt/go-docker", "/mnt/god-data", "/mnt/home"];

impl Reader {
    pub fn fault(&mut self, field: impl Into<String>, message: Message) {
        self.faults.push(FieldFault::new(field, message));
    }

    pub fn keep<T>(&mut self, field: &str, sent: Result<T, Message>, into: &mut T) {
        match sent {
            Ok(value) => *into = value,
            Err(message) => self.fault(field, message),
        }
    }

    /// # Errors
    /// Everything that was wrong.
    pub fn finish(self) -> Result<(), ApiError> {
        if self.faults.is_empty() { Ok(()) } else { Err(ApiError::Invalid(self.faults)) }
    }

    /// What of `sent` (`prio`, `quota_time`..) is there; `prefix` is where it lies in the document.
    pub fn shares(&mut self, sent: &Value, prefix: &str, priority: &mut u8, quotas: &mut Quotas) {
        let Quotas { time, cpu, ram, gpu, disk, upload } = quotas;
        for (key, quota) in [("quota_time", time), ("quota_cpu", cpu), ("quota_ram", ram), ("quota_gpu", gpu)] {
            if let Some(sent) = whole(sent.get(key), LARGEST) {
                self.keep(&format!("{prefix}{key}"), sent, quota);
            }
        }
        for (key, quota) in [("quota_disk", disk), ("quota_upload", upload)] {
            if let Some(sent) = own_size(sent.get(key)) {
                self.keep(&format!("{prefix}{key}"), sent, quota);
            }
        }
        if let Some(sent) = whole(sent.get("prio"), 100) {
            self.keep(&format!("{prefix}prio"), sent.map(|prio| prio as u8), priority);
        }
    }
}

/// A number, or its text as a form sends it; `None` when it is not there.
fn whole(value: Option<&Value>, most: u64) -> Option<Result<u64, Message>> {
    let value = value.filter(|value| !value.is_null())?;
    let number = match value {
        Value::String(text) if text.trim().is_empty() => Some(0.0),
        Value::String(text) => text.trim().parse().ok(),
        other => other.as_f64(),
    };
    let whole = number.filter(|n: &f64| n.fract() == 0.0 && *n >= 0.0 && *n <= most as f64);
    Some(whole.map(|n| n as u64).ok_or_else(|| says("fault-whole").set("first", 0_u64).set("last", most)))
}

/// Bytes, also as `500M` or `10G`; null and `""` are none of one's own.
fn own_size(value: Option<&Value>) -> Option<Result<Option<u64>, Message>> {
    let value = value?;
    if value.is_null() || value.as_str().is_some_and(|text| text.trim().is_empty()) {
        return Some(Ok(None));
    }
    let named = value.as_str().and_then(parse_size).filter(|bytes| *bytes <= LARGEST);
    let sent = named.map(Ok).or_else(|| whole(Some(value), LARGEST))?;
    Some(sent.map(Some).map_err(|_| says("fault-own-size")))
}

/// A text without surrounding space; null and `""` are none.
pub fn line(value: &Value) -> Option<Option<&str>> {
    match value {
        Value::Null => Some(None),
        Value::String(text) if text.trim().is_empty() => Some(None),
        Value::String(text) if !text.trim().contains(char::is_control) => Some(Some(text.trim())),
        _ => None,
    }
}

pub fn email(value: &Value) -> Result<Option<String>, Message> {
    let expected = || says("fault-email");
    let Some(address) = line(value).ok_or_else(expected)? else { return Ok(None) };
    let is_address = address.len() <= 254
        && address.is_ascii()
        && !address.contains(|c: char| c.is_whitespace() || "<>,;:\"()[]\\".contains(c))
        && address.split_once('@').is_some_and(|(name, host)| {
            !name.is_empty()
                && !host.is_empty()
                && !host.contains('@')
                && !host.starts_with('.')
                && !host.ends_with('.')
        });
    if is_address { Ok(Some(address.to_owned())) } else { Err(expected()) }
}

/// A name of the IANA database; null and `""` are the reader's own zone.
pub fn zone(value: &Value) -> Result<Option<Zone>, Message> {
    let expected = || says("fault-zone");
    let Some(name) = line(value).ok_or_else(expected)? else { return Ok(None) };
    Zone::named(name).map(Some).ok_or_else(expected)
}

/// Lists of jobs that are kept under names, each name once.
pub fn lists(value: &Value) -> Result<Vec<SavedList>, Message> {
    let (most, longest) = (SavedList::MOST, SavedList::LONGEST_NAME);
    let expected = || says("fault-saved-lists").set("most", most).set("longest", longest);
    let lists: Vec<SavedList> = serde_json::from_value(value.clone()).map_err(|_| expected())?;
    let names: std::collections::BTreeSet<&str> = lists.iter().map(|list| list.name.as_str()).collect();
    let sound = lists.len() <= most && names.len() == lists.len() && lists.iter().all(SavedList::is_sound);
    if sound { Ok(lists) } else { Err(expected()) }
}

/// OpenSSH public keys, one a line.
pub fn public_keys(value: &Value) -> Result<Option<String>, Message> {
    let expected = || says("fault-public-keys");
    let text = match value {
        Value::Null => return Ok(None),
        Value::String(text) if text.len() <= MAX_KEYS => text,
        _ => return Err(expected()),
    };
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    if !lines.iter().all(|line| is_public_key(line)) {
        return Err(expected());
    }
    Ok((!lines.is_empty()).then(|| lines.join("\n")))
}

fn is_public_key(line: &str) -> bool {
    let mut words = line.split(' ');
    let kind = words.next().is_some_and(|kind| ["ssh-", "ecdsa-", "sk-"].iter().any(|known| kind.starts_with(known)));
    let body = words
        .next()
        .is_some_and(|body| body.len() >= 16 && body.bytes().all(|b| b.is_ascii_alphanumeric() || b"+/=".contains(&b)));
    kind && body && !line.contains(char::is_control)
}

/// The volumes of a project: what administrators let its members see.
pub fn volumes(reader: &mut Reader, value: &Value) -> Vec<Mount> {
    let Some(list) = value.as_array().filter(|list| list.len() <= MAX_VOLUMES) else {
        if !value.is_null() {
            reader.fault("volumes", says("fault-volumes").set("most", MAX_VOLUMES));
        }
        return Vec::new();
    };
    let mut volumes: Vec<Mount> = Vec::new();
    for (index, sent) in list.iter().enumerate() {
        let field = |name: &str| format!("volumes[{index}].{name}");
        let text = |name: &str| sent.get(name).and_then(Value::as_str).unwrap_or_default().trim();
        let name = text("name");
        let is_name = !name.is_empty()
            && name.len() <= 64
            && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
        if !is_name || ["go-docker", "home"].contains(&name) || volumes.iter().any(|other| other.name == name) {
            reader.fault(field("name"), says("fault-volume-own-name"));
        }
        let acl = match text("acl") {
            "ro" | "" => Acl::Ro,
            "rw" => Acl::Rw,
            _ => {
                reader.fault(field("acl"), expected_one_of(&["ro", "rw"]));
                Acl::Ro
            }
        };
        let path = absolute(text("path"));
        if path.is_none() {
            reader.fault(field("path"), says("fault-absolute-path"));
        }
        let mount = if text("mount").is_empty() { path.clone() } else { absolute(text("mount")) };
        let ours =
            |mount: &PathBuf| OUR_MOUNTS.iter().any(|our| mount.starts_with(our) || Path::new(our).starts_with(mount));
        match mount {
            None => reader.fault(field("mount"), says("fault-absolute-path")),
            Some(mount) if ours(&mount) || mount == Path::new("/") => {
                reader.fault(field("mount"), says("fault-mount-ours"));
            }
            Some(mount) if volumes.iter().any(|other| other.mount == mount) => {
                reader.fault(field("mount"), says("fault-mount-twice"));
            }
            Some(mount) => {
                volumes.push(Mount { name: name.to_owned(), acl, path: path.unwrap_or_default(), mount });
            }
        }
    }
    volumes
}

fn absolute(text: &str) -> Option<PathBuf> {
    let path = Path::new(text);
    let plain = path.components().all(|part| matches!(part, Component::RootDir | Component::Normal(_)));
    (path.is_absolute() && plain && !text.contains('\0') && text.len() <= 4096).then(|| path.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_disk_quota_may_be_a_size() {
        let read = |value: Value| own_size(Some(&value)).unwrap();
        let own = |bytes| Ok(Some(bytes));
        assert_eq!(
            (read(json!("10G")), read(json!("3k")), read(json!("500"))),
            (own(10_000_000_000), own(3_000), own(500))
        );
        assert_eq!((read(json!(7)), read(json!(0))), (own(7), own(0)));
        assert_eq!((read(json!(" ")), read(Value::Null), own_size(None)), (Ok(None), Ok(None), None));
        for bad in [json!("lots"), json!(-1), json!(1.5), json!("99999999T"), json!([1])] {
            assert!(read(bad.clone()).unwrap_err().to_string().contains("10G"), "{bad}");
        }
    }

    #[test]
    fn an_address_is_one_address() {
        for good in ["ann@lab.example", " ann.lee+x@localhost "] {
            assert_eq!(email(&json!(good)), Ok(Some(good.trim().to_owned())));
        }
        assert_eq!((email(&json!("")), email(&Value::Null)), (Ok(None), Ok(None)));
        for bad in [json!("ann"), json!("a@b\r\nBcc: c@d"), json!("a@b,c@d"), json!("@lab"), json!("ann@"), json!(5)] {
            assert!(email(&bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn public_keys_are_a_line_each() {
        let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIK0 ann@lab";
        assert_eq!(public_keys(&json!(format!("{key}\r\n\n {key}\n"))), Ok(Some(format!("{key}\n{key}"))));
        assert_eq!(public_keys(&json!(" ")), Ok(None));
        for bad in ["hello", "-----BEGIN OPENSSH PRIVATE KEY-----", "ssh-rsa short", &format!("{key}\nx")] {
            assert!(public_keys(&json!(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_volume_neither_climbs_nor_covers_what_is_ours() {
        let fault_of = |volume: Value| {
            let mut reader = Reader::default();
            volumes(&mut reader, &json!([volume]));
            reader.faults.first().map(|fault| fault.field.clone())
        };
        let volume =
            |name: &str, path: &str, mount: &str| json!({ "name": name, "path": path, "mount": mount, "acl": "rw" });
        assert_eq!(fault_of(volume("db", "/data/db", "/db")), None);
        assert_eq!(fault_of(json!({ "name": "db", "path": "/data/db", "mount": null })), None);
        for (volume, field) in [
            (volume("", "/data", "/data"), "name"),
            (volume("home", "/data", "/data"), "name"),
            (volume("db", "data", "/data"), "path"),
            (volume("db", "/data/../etc", "/data"), "path"),
            (volume("db", "/data\0", "/data"), "path"),
            (volume("db", "/data", "/mnt/go-docker/x"), "mount"),
            (volume("db", "/data", "/mnt"), "mount"),
            (volume("db", "/data", "/"), "mount"),
            (json!({ "name": "db", "path": "/data", "acl": "rwx" }), "acl"),
        ] {
            assert_eq!(fault_of(volume.clone()), Some(format!("volumes[0].{field}")), "{volume}");
        }
    }
}
