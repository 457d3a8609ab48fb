//! The site's own registry: what its images are called, and who we are there.

use bollard::auth::DockerCredentials;

use crate::config::Registry;

/// The image as engines are asked for it: from the site's registry, unless it names one itself.
pub fn image(image: &str, registry: Option<&Registry>) -> String {
    match registry {
        Some(registry) if host_of(image).is_none() => format!("{}/{image}", registry.host),
        _ => image.to_owned(),
    }
}

/// What to show with a pull; nothing to registries that are not the site's.
pub fn credentials(image: &str, registry: Option<&Registry>) -> Option<DockerCredentials> {
    let registry = registry.filter(|registry| host_of(image) == Some(registry.host.as_str()))?;
    Some(DockerCredentials {
        username: Some(registry.user.clone()?),
        password: registry.password.as_ref().map(|password| password.reveal().to_owned()),
        serveraddress: Some(registry.host.clone()),
        ..DockerCredentials::default()
    })
}

/// The registry that an image's name begins with, as Docker tells it from a folder.
fn host_of(image: &str) -> Option<&str> {
    let (host, _) = image.split_once('/')?;
    (host.contains(['.', ':']) || host == "localhost").then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Secret;

    fn ours() -> Registry {
        Registry { host: "reg.lab:5000".into(), user: Some("god".into()), password: Some(Secret::new("secret")) }
    }

    #[test]
    fn images_come_from_the_sites_registry_unless_they_name_one() {
        for (asked, got) in [
            ("debian", "reg.lab:5000/debian"),
            ("tools/blast:2", "reg.lab:5000/tools/blast:2"),
            ("quay.io/x/y", "quay.io/x/y"),
            ("localhost/x", "localhost/x"),
            ("reg.lab:5000/debian", "reg.lab:5000/debian"),
        ] {
            assert_eq!(image(asked, Some(&ours())), got);
            assert_eq!(image(asked, None), asked);
        }
    }

    #[test]
    fn the_password_is_shown_to_the_sites_registry_only() {
        let ours = ours();
        let shown = |image: &str| credentials(image, Some(&ours)).and_then(|shown| shown.password);
        assert_eq!(shown("reg.lab:5000/debian").as_deref(), Some("secret"));
        assert_eq!(shown("quay.io/x/y"), None);
        assert_eq!(shown("reg.lab.evil.org/x"), None);
    }
}
