//! A directory over LDAP: who has this login, and is this their password?
//!
//! Each question is one connection: bind as the administrator, search, bind as what was found. Nothing is kept between
//! two, so a directory that was away is asked again by the next login. What becomes of an answer is not decided here.

use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::FutureExt;
use ldap3::result::SearchResult;
use ldap3::{
    Ldap, LdapConnAsync, LdapConnSettings, LdapError, LdapResult, Scope, SearchEntry, SearchOptions, ldap_escape,
};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use crate::config::Secret;
pub use crate::config::{Ldap as Settings, LdapTls as Tls};

/// Result codes, RFC 4511 appendix A.
mod code {
    pub const SUCCESS: u32 = 0;
    pub const SIZE_LIMIT_EXCEEDED: u32 = 4;
    pub const CONSTRAINT_VIOLATION: u32 = 19;
    pub const NO_SUCH_OBJECT: u32 = 32;
    pub const INAPPROPRIATE_AUTHENTICATION: u32 = 48;
    pub const INVALID_CREDENTIALS: u32 = 49;
    pub const INSUFFICIENT_ACCESS_RIGHTS: u32 = 50;
    pub const UNWILLING_TO_PERFORM: u32 = 53;
}

#[derive(Debug, Clone)]
pub struct Directory {
    settings: Arc<Settings>,
}

/// Somebody, as the directory has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Attribute `uid`, whatever attribute and spelling they logged in with.
    pub login: String,
    /// `uidNumber`; never 0.
    pub uid: u32,
    /// `gidNumber`.
    pub gid: u32,
    /// The first, if there are several.
    pub mail: Option<String>,
    /// Absolute.
    pub home: Option<PathBuf>,
}

#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// Wrong login or password; which of them is not told.
    #[error("wrong user name or password")]
    Denied,
    /// They are who they say, but nobody that jobs can run as.
    #[error("the directory's entry is of no use: {0}")]
    Incomplete(String),
    #[error("the directory cannot be asked: {0}")]
    Unavailable(String),
}

impl Directory {
    pub fn new(settings: Settings) -> Self {
        Directory { settings: Arc::new(settings) }
    }

    /// Who logs in with this, if the password is theirs.
    pub async fn authenticate(&self, login: &str, password: &str) -> Result<Entry, DirectoryError> {
        // A bind without a password is an anonymous one, which succeeds. A server that reads a password up to its first
        // NUL may find it empty too.
        if password.is_empty() || password.contains('\0') {
            return Err(DirectoryError::Denied);
        }
        self.ask(login, Some(password)).await
    }

    /// Who logs in with this, for users whom somebody trusted has authenticated.
    pub async fn find(&self, login: &str) -> Result<Entry, DirectoryError> {
        self.ask(login, None).await
    }

    async fn ask(&self, login: &str, password: Option<&str>) -> Result<Entry, DirectoryError> {
        if login.is_empty() {
            return Err(DirectoryError::Denied);
        }
        // ldap3 panics on answers that are no LDAP.
        let answer = AssertUnwindSafe(self.connect_and_ask(login, password)).catch_unwind();
        match tokio::time::timeout(self.settings.timeout, answer).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_panic)) => Err(DirectoryError::Unavailable("its answer is no LDAP".to_owned())),
            Err(_) => Err(DirectoryError::Unavailable(format!("no answer within {:?}", self.settings.timeout))),
        }
    }

    async fn connect_and_ask(&self, login: &str, password: Option<&str>) -> Result<Entry, DirectoryError> {
        let (connection, ldap) = self.connect().await?;
        // The connection ends when the other half drops its handle. In one task: a timeout leaves nothing behind.
        let (answer, driven) = tokio::join!(self.converse(ldap, login, password), connection.drive());
        match (answer, driven) {
            // What ended the connection says more than that it has ended.
            (Err(DirectoryError::Unavailable(_)), Err(error)) => Err(unavailable(error)),
            (answer, _) => answer,
        }
    }

    async fn connect(&self) -> Result<(LdapConnAsync, Ldap), DirectoryError> {
        let Settings { host, port, tls, ca_file, .. } = &*self.settings;
        let url = url(host, *port, *tls)?;
        let mut settings = LdapConnSettings::new().set_starttls(*tls == Tls::StartTls);
        if let Some(file) = ca_file.as_deref().filter(|_| *tls != Tls::None) {
            settings = settings.set_config(Arc::new(trusting_only(file).await?));
        }
        LdapConnAsync::with_settings(settings, &url).await.map_err(unavailable)
    }

    async fn converse(&self, mut ldap: Ldap, login: &str, password: Option<&str>) -> Result<Entry, DirectoryError> {
        self.bind_for_search(&mut ldap).await?;
        let found = self.search(&mut ldap, login).await?;
        if let Some(password) = password {
            bind_as(&mut ldap, &found.dn, password).await?;
        }
        read(&found, &self.settings)
    }

    async fn bind_for_search(&self, ldap: &mut Ldap) -> Result<(), DirectoryError> {
        let (dn, password) = match &self.settings.admin_dn {
            None => ("", ""),
            Some(dn) => (dn.as_str(), self.settings.admin_password.as_ref().map_or("", Secret::reveal)),
        };
        if !dn.is_empty() && password.is_empty() {
            return Err(DirectoryError::Unavailable(format!("{dn} needs a password to bind with")));
        }
        let result = ldap.simple_bind(dn, password).await.map_err(unavailable)?;
        if result.rc != code::SUCCESS {
            let who = if dn.is_empty() { "anonymously" } else { dn };
            return Err(refused(&format!("to bind {who}"), &result));
        }
        Ok(())
    }

    async fn search(&self, ldap: &mut Ldap, login: &str) -> Result<SearchEntry, DirectoryError> {
        let settings = &self.settings;
        let base = search_base(settings);
        let attributes = ["uid", "uidNumber", "gidNumber", &settings.mail_field, &settings.home_field];
        // Two are enough to know that it is not one.
        let options = SearchOptions::new().sizelimit(2);
        let SearchResult(mut found, result) = ldap
            .with_search_options(options)
            .search(&base, Scope::Subtree, &filter(&settings.login_fields, login), attributes)
            .await
            .map_err(unavailable)?;
        if ![code::SUCCESS, code::SIZE_LIMIT_EXCEEDED].contains(&result.rc) {
            return Err(refused(&format!("to search below {base:?}"), &result));
        }
        if found.len() > 1 || result.rc == code::SIZE_LIMIT_EXCEEDED {
            tracing::warn!(?login, "more than one entry of the directory has this login: refused");
            return Err(DirectoryError::Denied);
        }
        found.pop().map(SearchEntry::construct).ok_or(DirectoryError::Denied)
    }
}

/// Whether the password is that of the entry.
async fn bind_as(ldap: &mut Ldap, dn: &str, password: &str) -> Result<(), DirectoryError> {
    let result = ldap.simple_bind(dn, password).await.map_err(unavailable)?;
    match result.rc {
        code::SUCCESS => Ok(()),
        // Besides a wrong password: entries that have none, that are locked, that may not log in.
        code::INVALID_CREDENTIALS
        | code::INAPPROPRIATE_AUTHENTICATION
        | code::CONSTRAINT_VIOLATION
        | code::INSUFFICIENT_ACCESS_RIGHTS
        | code::NO_SUCH_OBJECT
        | code::UNWILLING_TO_PERFORM => Err(DirectoryError::Denied),
        _ => Err(refused(&format!("to bind {dn}"), &result)),
    }
}

fn url(host: &str, port: u16, tls: Tls) -> Result<String, DirectoryError> {
    // Anything else would make another URL of it.
    let is_host = |c: char| c.is_ascii_alphanumeric() || ".-_:[]".contains(c);
    if host.is_empty() || !host.chars().all(is_host) {
        return Err(DirectoryError::Unavailable(format!("{host:?} is no name of a host")));
    }
    let scheme = if tls == Tls::Ldaps { "ldaps" } else { "ldap" };
    let is_bare_ipv6 = host.contains(':') && !host.starts_with('[');
    Ok(if is_bare_ipv6 { format!("{scheme}://[{host}]:{port}") } else { format!("{scheme}://{host}:{port}") })
}

async fn trusting_only(ca_file: &Path) -> Result<ClientConfig, DirectoryError> {
    let unusable =
        |why: &dyn std::fmt::Display| DirectoryError::Unavailable(format!("CA file {}: {why}", ca_file.display()));
    // Read each time: a renewed authority needs no restart.
    let pem = tokio::fs::read(ca_file).await.map_err(|error| unusable(&error))?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(|error| unusable(&error))?;
        roots.add(certificate).map_err(|error| unusable(&error))?;
    }
    if roots.is_empty() {
        return Err(unusable(&"it holds no certificate"));
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().map_err(|error| unusable(&error))?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

fn search_base(settings: &Settings) -> String {
    match settings.base_dn_filter.as_deref().filter(|below| !below.is_empty()) {
        Some(below) => format!("{below},{}", settings.base_dn),
        None => settings.base_dn.clone(),
    }
}

/// One of the fields is exactly the login, whatever that holds.
fn filter(fields: &[String], login: &str) -> String {
    let login = ldap_escape(login);
    let fields: String = fields.iter().map(|field| format!("({field}={login})")).collect();
    format!("(|{fields})")
}

fn read(found: &SearchEntry, settings: &Settings) -> Result<Entry, DirectoryError> {
    let uid = id_number(found, "uidNumber")?;
    if uid == 0 {
        return Err(DirectoryError::Incomplete(format!("uidNumber of {} is root's", found.dn)));
    }
    Ok(Entry {
        login: only(found, "uid")?.to_owned(),
        uid,
        gid: id_number(found, "gidNumber")?,
        mail: values(found, &settings.mail_field).first().cloned(),
        home: values(found, &settings.home_field).first().map(PathBuf::from).filter(|home| home.is_absolute()),
    })
}

fn id_number(found: &SearchEntry, field: &str) -> Result<u32, DirectoryError> {
    let value = only(found, field)?;
    // The highest is -1, which to the system means to change nothing.
    let number = value.parse().ok().filter(|&number| number != u32::MAX);
    number.ok_or_else(|| DirectoryError::Incomplete(format!("{field} of {} is no id: {value:?}", found.dn)))
}

/// The value of an attribute with just one: the order of several means nothing, and who somebody is must not change.
fn only<'a>(found: &'a SearchEntry, field: &str) -> Result<&'a str, DirectoryError> {
    match values(found, field) {
        [value] => Ok(value),
        [] => Err(DirectoryError::Incomplete(format!("{} has no {field}", found.dn))),
        _ => Err(DirectoryError::Incomplete(format!("{} has more than one {field}", found.dn))),
    }
}

/// Servers spell an attribute's name as their schema does, not as they were asked.
fn values<'a>(found: &'a SearchEntry, field: &str) -> &'a [String] {
    let attribute = found.attrs.iter().find(|(name, _)| name.eq_ignore_ascii_case(field));
    attribute.map_or(&[], |(_, values)| values)
}

fn refused(what: &str, result: &LdapResult) -> DirectoryError {
    DirectoryError::Unavailable(format!("it refuses {what}: {result}"))
}

fn unavailable(error: LdapError) -> DirectoryError {
    DirectoryError::Unavailable(match error {
        LdapError::ResultRecv { .. } | LdapError::OpSend { .. } | LdapError::EndOfStream => {
            "it closed the connection".to_owned()
        }
        error => error.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::time::Duration;

    use ldap3::asn1::{OctetString, Tag};
    use proptest::prelude::*;

    use super::*;

    fn fields() -> Vec<String> {
        vec!["uid".to_owned(), "mail".to_owned()]
    }

    fn settings() -> Settings {
        Settings {
            host: "ldap.lab.example".to_owned(),
            port: 389,
            tls: Tls::None,
            ca_file: None,
            base_dn: "dc=lab,dc=example".to_owned(),
            base_dn_filter: None,
            admin_dn: Some("cn=admin,dc=lab,dc=example".to_owned()),
            admin_password: Some(Secret::new("sesame")),
            login_fields: fields(),
            home_field: "homedirectory".to_owned(),
            mail_field: "mail".to_owned(),
            timeout: Duration::from_secs(5),
        }
    }

    fn found(attributes: &[(&str, &[&str])]) -> SearchEntry {
        let owned = |values: &[&str]| values.iter().map(|&value| value.to_owned()).collect::<Vec<_>>();
        let attrs = attributes.iter().map(|&(name, values)| (name.to_owned(), owned(values))).collect();
        SearchEntry { dn: "uid=ann,ou=people".to_owned(), attrs, bin_attrs: HashMap::new() }
    }

    /// What the server is asked for: pairs of attribute and value, any of which must be equal.
    fn asked(filter: &str) -> Vec<(Vec<u8>, Vec<u8>)> {
        const OR: u64 = 1;
        const EQUAL: u64 = 3;
        let Ok(Tag::Sequence(any)) = ldap3::parse_filter(filter) else { panic!("{filter} is no filter") };
        assert_eq!(any.id, OR, "{filter}");
        let pair = |tag: Tag| match tag {
            Tag::Sequence(equal) if equal.id == EQUAL => match &equal.inner[..] {
                [Tag::OctetString(OctetString { inner: name, .. }), Tag::OctetString(OctetString { inner, .. })] => {
                    (name.clone(), inner.clone())
                }
                other => panic!("{filter}: {other:?}"),
            },
            other => panic!("{filter}: {other:?}"),
        };
        any.inner.into_iter().map(pair).collect()
    }

    fn assert_asks_for_just(login: &str) {
        let expected = fields().into_iter().map(|field| (field.into_bytes(), login.as_bytes().to_vec()));
        assert_eq!(asked(&filter(&fields(), login)), expected.collect::<Vec<_>>(), "{login:?}");
    }

    #[test]
    fn the_filter_asks_for_any_of_the_fields() {
        assert_eq!(filter(&fields(), "ann"), "(|(uid=ann)(mail=ann))");
        assert_eq!(filter(&fields()[..1], "a(n)*\\\0n"), "(|(uid=a\\28n\\29\\2a\\5c\\00n))");
    }

    #[test]
    fn a_login_stays_one_value() {
        for login in ["*", "ann)(uid=*", "*)(objectClass=*", "ann\0", "\\2a", ")(|(uid=*", " ann ", "ännchen", "a=b,c"]
        {
            assert_asks_for_just(login);
        }
    }

    proptest! {
        #[test]
        fn any_login_stays_one_value(login in "[\\x00-\\x7f\u{e9}\u{1f600}]{1,12}") {
            assert_asks_for_just(&login);
        }
    }

    #[test]
    fn an_entry_is_read_whatever_the_case_of_its_attributes() {
        let entry = found(&[
            ("UID", &["ann"]),
            ("uidnumber", &["5"]),
            ("gidNumber", &["60"]),
            ("mail", &["ann@lab.example", "a@lab.example"]),
            ("homeDirectory", &["/home/ann"]),
        ]);
        let expected = Entry {
            login: "ann".to_owned(),
            uid: 5,
            gid: 60,
            mail: Some("ann@lab.example".to_owned()),
            home: Some("/home/ann".into()),
        };
        assert_eq!(read(&entry, &settings()).unwrap(), expected);
        let bare = found(&[("uid", &["ann"]), ("uidNumber", &["5"]), ("gidNumber", &["60"])]);
        assert_eq!(read(&bare, &settings()).unwrap(), Entry { mail: None, home: None, ..expected });
    }

    #[test]
    fn an_entry_that_no_job_can_run_as_is_incomplete() {
        type Attributes<'a> = &'a [(&'a str, &'a [&'a str])];
        let wrong: [(Attributes, &str); 7] = [
            (&[("uidNumber", &["5"]), ("gidNumber", &["60"])], "has no uid"),
            (&[("uid", &["ann", "bob"]), ("uidNumber", &["5"]), ("gidNumber", &["60"])], "has more than one uid"),
            (&[("uid", &["ann"]), ("gidNumber", &["60"])], "has no uidNumber"),
            (&[("uid", &["ann"]), ("uidNumber", &["5"])], "has no gidNumber"),
            (&[("uid", &["ann"]), ("uidNumber", &["0"]), ("gidNumber", &["60"])], "is root's"),
            (&[("uid", &["ann"]), ("uidNumber", &["-5"]), ("gidNumber", &["60"])], "is no id: \"-5\""),
            (&[("uid", &["ann"]), ("uidNumber", &["5"]), ("gidNumber", &["4294967295"])], "is no id"),
        ];
        for (attributes, why) in wrong {
            match read(&found(attributes), &settings()) {
                Err(DirectoryError::Incomplete(text)) => assert!(text.contains(why), "{text}, not {why}"),
                other => panic!("{attributes:?}: {other:?}"),
            }
        }
    }

    #[test]
    fn the_url_holds_the_host_and_nothing_else() {
        assert_eq!(url("ldap.lab.example", 389, Tls::StartTls).unwrap(), "ldap://ldap.lab.example:389");
        assert_eq!(url("::1", 636, Tls::Ldaps).unwrap(), "ldaps://[::1]:636");
        for host in ["", "/", "ldap://lab.example", "a b", "me@lab.example"] {
            assert!(matches!(url(host, 389, Tls::None), Err(DirectoryError::Unavailable(_))), "{host}");
        }
    }

    #[test]
    fn the_search_is_below_the_base() {
        assert_eq!(search_base(&settings()), "dc=lab,dc=example");
        let below = |filter: &str| search_base(&Settings { base_dn_filter: Some(filter.to_owned()), ..settings() });
        assert_eq!(below("ou=people"), "ou=people,dc=lab,dc=example");
        assert_eq!(below(""), "dc=lab,dc=example");
    }

    #[test]
    fn debug_tells_no_password() {
        assert!(!format!("{:?}", Directory::new(settings())).contains("sesame"));
    }

    #[tokio::test]
    async fn nobody_is_asked_without_a_login_and_a_password() {
        // Nothing listens there: an answer other than Denied would be that the server is away.
        let directory = Directory::new(Settings { host: "127.0.0.1".to_owned(), port: 1, ..settings() });
        for (login, password) in [("ann", ""), ("ann", "\0"), ("", "pw"), ("", "")] {
            let answer = directory.authenticate(login, password).await;
            assert!(matches!(answer, Err(DirectoryError::Denied)), "{login:?} {password:?}: {answer:?}");
        }
        assert!(matches!(directory.find("").await, Err(DirectoryError::Denied)));
        assert!(matches!(directory.authenticate("ann", "pw").await, Err(DirectoryError::Unavailable(_))));
    }
}
