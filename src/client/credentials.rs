//! Who the user is, to which server: from the environment, else from a file that only they can read.

use std::fmt;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use reqwest::Url;
use serde::{Deserialize, Serialize};

use super::error::ClientError;

/// A key that never shows itself.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ApiKey(String);

impl ApiKey {
    pub fn new(key: impl Into<String>) -> Self {
        ApiKey(key.into())
    }

    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(***)")
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credentials {
    pub server: String,
    pub user: String,
    pub apikey: ApiKey,
}

/// The variables that count, read once.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    pub server: Option<String>,
    pub user: Option<String>,
    pub apikey: Option<ApiKey>,
    /// Where the credentials file is; `None` without a home.
    pub file: Option<PathBuf>,
}

impl Environment {
    pub fn read() -> Self {
        Self::from(|name| std::env::var(name).ok())
    }

    fn from(variable: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        // A relative path there is invalid by the XDG specification.
        let xdg = set("XDG_CONFIG_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
        let config = xdg.or_else(|| set("HOME").map(|home| Path::new(&home).join(".config")));
        Environment {
            server: set("GOD_SERVER"),
            user: set("GOD_USER"),
            apikey: set("GOD_APIKEY").map(ApiKey),
            file: config.map(|config| config.join("god/credentials.json")),
        }
    }

    pub fn file(&self) -> Result<&Path, ClientError> {
        self.file.as_deref().ok_or_else(|| {
            ClientError::Usage("there is no home directory: set HOME, or GOD_SERVER, GOD_USER and GOD_APIKEY".into())
        })
    }

    /// What to log in with, and a warning if others could read it.
    ///
    /// # Errors
    /// [`ClientError::NotLoggedIn`] when something is missing; [`ClientError::Credentials`] when the file is not ours.
    pub fn credentials(&self) -> Result<(Credentials, Option<String>), ClientError> {
        if let (Some(server), Some(user), Some(apikey)) = (&self.server, &self.user, &self.apikey) {
            let credentials = Credentials { server: server.clone(), user: user.clone(), apikey: apikey.clone() };
            return Ok((credentials, None));
        }
        let path = self.file.as_deref().ok_or(ClientError::NotLoggedIn)?;
        let (stored, warning) = load(path)?;
        let credentials = Credentials {
            server: self.server.clone().unwrap_or(stored.server),
            user: self.user.clone().unwrap_or(stored.user),
            apikey: self.apikey.clone().unwrap_or(stored.apikey),
        };
        Ok((credentials, warning))
    }
}

fn load(path: &Path) -> Result<(Credentials, Option<String>), ClientError> {
    let fault = |why: String| ClientError::Credentials { path: path.to_owned(), why };
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(ClientError::NotLoggedIn),
        Err(error) => return Err(fault(error.to_string())),
    };
    // serde's own message could quote the key.
    let credentials = serde_json::from_str(&text).map_err(|_| fault("is not a credentials file".into()))?;
    let mode = fs::metadata(path).map_err(|error| fault(error.to_string()))?.mode() & 0o777;
    let warning = (mode & 0o077 != 0).then(|| {
        let path = path.display();
        format!(
            "others may read your API key in {path} (mode {mode:o}): run `chmod 600 {path}`, and if others use this \
             machine, ask for a new key"
        )
    });
    Ok((credentials, warning))
}

/// Writes the file whole or not at all; only its owner can read it, from its first byte on.
pub fn save(path: &Path, credentials: &Credentials) -> Result<(), ClientError> {
    let failed = |error| ClientError::Local { what: format!("{} could not be written", path.display()), error };
    let directory = path.parent().expect("the file lies in a directory of its own");
    DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(failed)?;
    fs::set_permissions(directory, fs::Permissions::from_mode(0o700)).map_err(failed)?;
    let fresh = directory.join(format!(".credentials.{}", std::process::id()));
    // What a killed login with our process id left.
    let _ = fs::remove_file(&fresh);
    let written = write(&fresh, credentials).and_then(|()| fs::rename(&fresh, path));
    written.map_err(|error| {
        let _ = fs::remove_file(&fresh);
        failed(error)
    })
}

fn write(path: &Path, credentials: &Credentials) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    let mut text = serde_json::to_vec_pretty(credentials)?;
    text.push(b'\n');
    file.write_all(&text)?;
    file.sync_all()
}

/// A server's address: http or https, perhaps under a prefix.
///
/// # Errors
/// [`ClientError::Usage`] that says what is wrong with it.
pub fn server_url(text: &str) -> Result<Url, ClientError> {
    let refuse = |why: &str| ClientError::Usage(format!("{text:?} is no server: {why}"));
    let expected = "expected an address like https://god.example.org or http://127.0.0.1:6543";
    let mut url = Url::parse(text.trim()).map_err(|_| refuse(expected))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err(refuse(expected));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refuse("the user name and key do not belong into the address; `god login` asks for them"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(refuse("it must end with its path"));
    }
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
    Ok(url)
}

/// As people write it: no slash at the end.
pub fn shown(url: &Url) -> String {
    url.as_str().trim_end_matches('/').to_owned()
}

/// Whether the key would travel readable to another machine.
pub fn is_exposed(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let is_local = host == "localhost" || host == "[::1]" || host.starts_with("127.");
    url.scheme() == "http" && !is_local
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ann() -> Credentials {
        Credentials { server: "http://h:1/god".into(), user: "ann".into(), apikey: ApiKey::new("s3cret") }
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o777
    }

    fn environment(file: &Path) -> Environment {
        Environment { file: Some(file.to_owned()), ..Environment::default() }
    }

    #[test]
    fn what_is_saved_is_read_back_and_private() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("new/god/credentials.json");
        save(&path, &ann()).unwrap();
        save(&path, &ann()).unwrap();
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
        assert_eq!(environment(&path).credentials().unwrap(), (ann(), None));
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn a_file_that_others_can_read_is_warned_of() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("god/credentials.json");
        save(&path, &ann()).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let warning = environment(&path).credentials().unwrap().1.unwrap();
        assert!(warning.contains("chmod 600") && !warning.contains("s3cret"), "{warning}");
    }

    #[test]
    fn the_environment_comes_before_the_file() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("god/credentials.json");
        save(&path, &ann()).unwrap();
        let bob = Environment { user: Some("bob".into()), ..environment(&path) };
        assert_eq!(bob.credentials().unwrap().0, Credentials { user: "bob".into(), ..ann() });
        assert!(matches!(environment(&home.path().join("no")).credentials(), Err(ClientError::NotLoggedIn)));
    }

    #[test]
    fn the_place_of_the_file_follows_xdg() {
        let of = |xdg: &'static str| {
            Environment::from(move |name| match name {
                "XDG_CONFIG_HOME" => Some(xdg.into()),
                "HOME" => Some("/home/ann".into()),
                _ => None,
            })
            .file
            .unwrap()
        };
        assert_eq!(of("/etc/ann"), Path::new("/etc/ann/god/credentials.json"));
        assert_eq!(of(""), Path::new("/home/ann/.config/god/credentials.json"));
        assert_eq!(of("relative"), Path::new("/home/ann/.config/god/credentials.json"));
    }

    #[test]
    fn a_broken_file_is_told_of_without_its_text() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("c.json");
        fs::write(&path, r#"{"apikey": "s3cret", }"#).unwrap();
        let told = environment(&path).credentials().unwrap_err().to_string();
        assert!(told.contains("god login") && !told.contains("s3cret"), "{told}");
        assert!(!format!("{:?}", ann()).contains("s3cret"));
    }

    #[test]
    fn an_address_is_http_with_an_optional_prefix() {
        assert_eq!(shown(&server_url("https://h/god/").unwrap()), "https://h/god");
        assert_eq!(shown(&server_url("http://127.0.0.1:6543").unwrap()), "http://127.0.0.1:6543");
        for bad in ["h:6543", "ftp://h", "", "http://ann:k@h", "http://h/?a=1", "h"] {
            assert!(server_url(bad).is_err(), "{bad}");
        }
        assert!(is_exposed(&server_url("http://h").unwrap()));
        assert!(!is_exposed(&server_url("http://127.0.0.1:1").unwrap()));
        assert!(!is_exposed(&server_url("https://h").unwrap()));
    }
}
