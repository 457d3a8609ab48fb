//! What is wrong with what was typed is said in the reader's language.

use serde_json::json;

use crate::support::browser::{Browser, Seen, between};
use crate::support::{Server, job, job_with, native};

/// An administrator whose browser asks for French.
async fn french() -> (Server, Browser, String) {
    let server = native().start().await;
    let mut browser = Browser::at(&server);
    browser.log_in("").await;
    let csrf = browser.csrf().await;
    browser.header = Some(("Accept-Language".to_owned(), "fr".to_owned()));
    (server, browser, csrf)
}

/// Refused in French from the first word to the last, and saying this.
fn refused(seen: &Seen, status: u16, sentences: &[&str]) {
    assert_eq!(seen.status, status, "{}", seen.html);
    assert!(seen.html.contains("<html lang=\"fr\""), "{}", seen.html);
    // The way to the same page in English is one that says so.
    let page = seen.html.replace("lang=\"en\" hreflang=\"en\"", "");
    assert!(!page.contains("lang=\"en\""), "{page}");
    for sentence in sentences {
        assert!(page.contains(&sentence.replace('<', "&#60;").replace('"', "&#34;")), "{sentence}: {page}");
    }
}

#[tokio::test]
async fn a_new_job_is_refused_in_french() {
    let (server, mut browser, csrf) = french().await;
    let typed = [
        ("csrf", csrf.as_str()),
        ("name", ""),
        ("image", "Debian"),
        ("script", " "),
        ("cpu", "many"),
        ("ram", "0"),
        ("gpus", "-1"),
        ("maxlifespan", "soon"),
        ("project", "rna"),
        ("array", "5:1"),
        ("tasks", "x"),
        ("labels", "disk==fast"),
        ("ports", "80, 80, web"),
        ("tags", &"x".repeat(101)),
        ("volume_nowhere", "ro"),
    ];
    let said = [
        "points sont à corriger",
        "ne doit pas être vide",
        "il faut une image comme debian, debian:stable ou host:5000/team/tool:1.2",
        "il faut un nombre, et non un texte",
        "il faut de 0.01 à 1000000 Go, et non 0",
        "il faut un nombre entier de 0 à 4096, et non -1",
        "il faut un nombre de secondes, ou une durée comme 90s",
        "le premier indice, 5, dépasse le dernier, 1",
        "il faut le numéro d’un travail, seul ou avec :ok, :failed ou :any",
        "le label disk==fast n’existe pas ici",
        "le port 80 est demandé deux fois",
        "il faut un port de 1 à 65535",
        "100 caractères au plus, et non 101",
    ];
    refused(&browser.post("/jobs/new", &typed).await, 400, &said);

    let sound = |more: &[(&'static str, &'static str)]| {
        let mut typed = vec![("csrf", csrf.clone()), ("name", "typed".into()), ("image", "none".into())];
        typed.push(("script", "true".into()));
        typed.extend(more.iter().map(|(name, value)| (*name, (*value).to_owned())));
        typed
    };
    let asked = sound(&[("project", "rna"), ("cpu", "999"), ("tasks", "77"), ("volume_nowhere", "ro")]);
    let asked: Vec<(&str, &str)> = asked.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let said = [
        "admin n’est membre d’aucun projet rna",
        "aucun nœud n’a plus de 8 cœurs",
        "le travail 77 n’existe pas, ou il ne vous est pas accessible",
        "il n’y a pas ici de volume \"nowhere\" pour vous",
    ];
    refused(&browser.post("/jobs/new", &asked).await, 400, &said);
    assert_eq!(server.get("/task/active").await, json!([]));
}

#[tokio::test]
async fn what_others_said_is_left_as_it_is_and_marked() {
    let (server, mut browser, csrf) = french().await;
    let typed =
        [("csrf", csrf.as_str()), ("name", "x"), ("image", "none"), ("script", "if true\r\n"), ("then", "check")];
    let seen = browser.post("/jobs/new", &typed).await;
    let script = between(&seen.html, "class=\"script-faults\"", "</ol>");
    assert!(script.contains("<span lang=\"en\">"), "a shell's words: {script}");

    let maintenance = |message: &str| json!({ "on": true, "message": message });
    let typed = [("csrf", csrf.as_str()), ("name", "x"), ("image", "none"), ("script", "true")];
    server.call("PUT", "/maintenance", Some(maintenance("New disks until noon."))).await;
    let seen = browser.post("/jobs/new", &typed).await;
    assert_eq!(seen.status, 503);
    assert!(seen.html.contains("file d’attente : <span lang=\"en\">New disks until noon.</span>"), "{}", seen.html);
    server.call("PUT", "/maintenance", Some(maintenance(""))).await;
    let said = ["GoDocker est en maintenance : aucun nouveau travail n’est accepté pour l’instant."];
    refused(&browser.post("/jobs/new", &typed).await, 503, &said);
}

#[tokio::test]
async fn profiles_accounts_and_projects_are_refused_in_french() {
    let (server, mut browser, csrf) = french().await;
    let typed = [
        ("csrf", csrf.as_str()),
        ("email", "nobody"),
        ("ssh_public", "x"),
        ("theme", "loud"),
        ("zone", "Mars/Olympus"),
    ];
    let said = [
        "Adresse électronique : il faut une adresse comme ann@lab.example",
        "Fuseau horaire : il faut le nom d’un fuseau horaire comme Europe/Paris",
        "Couleurs : valeurs possibles : auto, light ou dark",
        "il faut des clés publiques OpenSSH, une par ligne",
    ];
    refused(&browser.post("/profile", &typed).await, 400, &said);
    let typed = [("csrf", csrf.as_str()), ("name", ""), ("scope", "read"), ("days", "0")];
    let said = ["dites à quoi il sert, en 100 caractères au plus", "il faut de 1 à 3650 jours"];
    refused(&browser.post("/profile/tokens", &typed).await, 400, &said);

    server.new_user("ann", 7001).await;
    let typed = [
        ("csrf", csrf.as_str()),
        ("email", "@"),
        ("prio", "101"),
        ("quota_time", "x"),
        ("quota_cpu", ""),
        ("quota_ram", ""),
        ("quota_gpu", ""),
        ("quota_disk", "lots"),
    ];
    let said = [
        "Priorité : il faut un nombre entier de 0 à 100",
        "il faut des octets, une taille comme 500M, 10G ou 2T",
        "il faut une adresse comme ann@lab.example",
    ];
    refused(&browser.post("/admin/users/ann", &typed).await, 400, &said);
    refused(
        &browser.post("/admin/users/admin/delete", &[("csrf", &csrf)]).await,
        409,
        &["Personne ne supprime le compte"],
    );

    let typed = [("csrf", csrf.as_str()), ("id", "a b"), ("prio", "50"), ("owner", "x y"), ("volumes", "db rwx data")];
    refused(&browser.post("/admin/projects", &typed).await, 400, &["\"a b\" n’est pas un nom de projet"]);
    let typed = [("csrf", csrf.as_str()), ("id", "rna"), ("prio", "50"), ("owner", "x y"), ("volumes", "db rwx data")];
    let said =
        ["\"x y\" n’est pas un identifiant d’utilisateur", "valeurs possibles : ro ou rw", "il faut un chemin absolu"];
    refused(&browser.post("/admin/projects", &typed).await, 400, &said);
}

#[tokio::test]
async fn filters_jobs_and_files_are_refused_in_french() {
    let (server, mut browser, csrf) = french().await;
    let said = ["Du : il faut un jour comme 2026-11-23"];
    refused(&browser.get("/usage?from=yesterday").await, 400, &said);
    refused(&browser.get("/admin/usage?from=yesterday").await, 400, &said);
    refused(&browser.get("/jobs?state=gone").await, 400, &[]);
    refused(&browser.get("/admin?days=5").await, 400, &["Jours : valeurs possibles : 1, 7 ou 30."]);
    refused(&browser.get("/jobs/77").await, 404, &["Ce travail n’existe pas, ou il ne vous est pas accessible."]);

    let id = server.submit(job("true")).await;
    server.over(id).await;
    let seen = browser.post(&format!("/jobs/{id}/suspend"), &[("csrf", &csrf)]).await;
    let said = format!("L’état du travail {id} est « terminé » : seul un travail dont l’état est « en cours »");
    refused(&seen, 409, &[&said, "peut être suspendu."]);
    let expired = browser.post(&format!("/jobs/{id}/kill"), &[("csrf", "old")]).await;
    refused(&expired, 403, &["Le formulaire a expiré"]);

    let folder = [("csrf", csrf.as_str()), ("act", "folder"), ("name", "a/b")];
    refused(
        &browser.post("/data", &folder).await,
        400,
        &["\"a/b\" : chemin : le nom d’un dossier ne contient pas de /"],
    );

    // Programs are told the same in English, whoever asks.
    let seen = browser.get("/api/1.0/usage?from=yesterday").await;
    assert!(seen.html.contains("from: expected a day like 2026-11-23"), "{}", seen.html);
}

#[tokio::test]
async fn how_a_job_ended_is_said_in_french() {
    let (server, mut browser, _) = french().await;
    let fails = server.submit(job("exit 3")).await;
    let waits = server.submit(job_with("true", "requirements", "tasks", json!([format!("{fails}:ok")]))).await;
    let runs_on = server.submit(job_with("sleep 1000", "requirements", "maxlifespan", "1s")).await;
    let said = [
        (fails, "Son script s’est terminé avec le code 3."),
        (waits, "qui a connu une autre fin : en échec."),
        (runs_on, "Il a dépassé sa durée maximale."),
    ];
    for (id, sentence) in said {
        let task = server.over(id).await;
        let english = task["status"]["reason"].as_str().unwrap();
        let page = browser.page(&format!("/jobs/{id}")).await;
        assert!(page.contains(sentence) && !page.contains(english), "{sentence}, not {english}: {page}");
    }
}
