//! The pages of jobs: lists that are narrowed, paged, opened, worked on; a job and how to have it again.

use std::time::Duration;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::header::ACCEPT_LANGUAGE;
use serde_json::json;

use crate::support::browser::{Browser, Seen, between};
use crate::support::{Options, Server, job, job_with, native};

async fn logged_in(options: Options) -> (Server, Browser) {
    let server = options.start().await;
    let mut browser = Browser::at(&server);
    assert_eq!(browser.log_in("").await.status, 303);
    (server, browser)
}

async fn named(server: &Server, name: &str, tags: &[&str]) -> u64 {
    let mut named = job("true");
    named["meta"] = json!({ "name": name, "tags": tags });
    server.submit(named).await
}

/// Ids in the rows, in their order.
fn rows(html: &str) -> Vec<u64> {
    html.split("name=\"id\" value=\"").skip(1).map(|rest| rest.split('"').next().unwrap().parse().unwrap()).collect()
}

/// Where a link of this kind leads.
fn rel(html: &str, rel: &str) -> Option<String> {
    let (_, rest) = html.split_once(&format!("rel=\"{rel}\" href=\""))?;
    Some(rest.split('"').next().unwrap().replace("&#38;", "&"))
}

#[tokio::test]
async fn a_list_is_narrowed_and_says_to_what() {
    let (server, mut browser) = logged_in(native()).await;
    let first = named(&server, "RNA mapping", &["rna", "paper"]).await;
    let second = named(&server, "dna mapping", &["dna"]).await;
    for id in [first, second] {
        server.over(id).await;
    }
    let html = browser.page("/jobs?state=any&q=mapping").await;
    assert_eq!(rows(&html), [second, first]);
    let html = browser.page("/jobs?state=any&state=done&q=mapping&tag=rna").await;
    assert_eq!(rows(&html), [first]);
    // Each filter is said with the way to be rid of it.
    for without in
        ["/jobs?state=any&#38;tag=rna&#38;q=mapping", "/jobs?state=done&#38;tag=rna", "/jobs?state=done&#38;q=mapping"]
    {
        assert!(html.contains(&format!("href=\"{without}\"")), "{without}: {html}");
    }
    // What a row names leads to everything of that name.
    assert!(html.contains("href=\"/jobs?state=any&amp;tag=paper\""), "{html}");
    let html = browser.page("/jobs?state=failed&tag=rna").await;
    assert!(rows(&html).is_empty() && html.contains("No job is like that."), "{html}");
    let (year, sort) = ("/jobs?over=1&from=2001-01-01&until=2001-12-31", "/jobs?over=1&sort=-run_time");
    assert!(rows(&browser.page(year).await).is_empty());
    assert_eq!(rows(&browser.page(sort).await).len(), 2);
    for wrong in ["/jobs?from=yesterday", "/jobs?state=sleeping", "/jobs?user=a%20b", "/jobs?q=---"] {
        let seen = browser.get(wrong).await;
        assert!(seen.status == 400 && seen.html.contains("role=\"alert\"") && rows(&seen.html).is_empty(), "{wrong}");
    }
}

#[tokio::test]
async fn a_node_leads_to_the_jobs_on_it_and_a_job_to_its_node() {
    let (server, mut browser) = logged_in(native()).await;
    let mut array = job_with("sleep 300", "requirements", "array", json!({ "values": "1:2:1" }));
    array["meta"] = json!({ "name": "many", "tags": ["x"] });
    let (array, ended) = (server.submit(array).await, named(&server, "short", &[]).await);
    server.over(ended).await;
    let (one, two) = (array + 1, array + 2);
    server.running(one).await;
    server.running(two).await;
    let node = server.task(one).await["container"]["meta"]["Node"]["Name"].as_str().unwrap().to_owned();
    let coded = utf8_percent_encode(&node, NON_ALPHANUMERIC).to_string();
    assert!(browser.page(&format!("/jobs/{one}")).await.contains(&format!("href=\"/admin/nodes#{coded}\"")));
    let nodes = browser.page("/admin/nodes").await;
    assert!(nodes.contains(&format!("id=\"{node}\"")), "{nodes}");
    let link = format!("/jobs?user=*&amp;node={}", between(&nodes, "/jobs?user=*&amp;node=", "\""));
    let html = browser.page(&link.replace("&amp;", "&")).await;
    assert_eq!(rows(&html), [two, one], "an array's jobs by themselves");
    assert!(html.contains(&format!("node: {node}")));
    assert_eq!(rows(&browser.page(&format!("/jobs?over=1&node={node}")).await), [ended]);
    assert!(rows(&browser.page("/jobs?state=any&node=elsewhere").await).is_empty());
    let beside = browser.get(&format!("/jobs?node={node}&tag=x")).await;
    assert_eq!(beside.status, 400, "{}", beside.html);
    server.kill_job(array).await;
}

#[tokio::test]
async fn pages_follow_each_other_without_a_gap() {
    let (server, mut browser) = logged_in(native().with("GODOCKER_NATIVE_CPUS", "1")).await;
    let mut long = job("true");
    long["meta"] = json!({ "name": "x".repeat(100), "tags": ["first-tag-of-it", "second-tag-of-it"] });
    let holds = server.submit(job("sleep 300")).await;
    let mut all = vec![holds];
    for _ in 0..104 {
        all.push(server.submit(long.clone()).await);
    }
    all.reverse();
    let html = browser.page("/jobs?limit=75").await;
    assert_eq!(rows(&html), all[..75]);
    assert!(html.len() < 100_000, "a page is {} bytes", html.len());
    let mut seen = Vec::new();
    let mut next = Some("/jobs?limit=25".to_owned());
    let mut last = String::new();
    while let Some(link) = next {
        let html = browser.page(&link).await;
        seen.extend(rows(&html));
        next = rel(&html, "next");
        last = html;
    }
    assert_eq!(seen, all);
    let before = browser.page(&rel(&last, "prev").unwrap()).await;
    assert_eq!(rows(&before), all[75..100]);
}

#[tokio::test]
async fn an_array_is_one_row_that_opens() {
    let (server, mut browser) = logged_in(native()).await;
    let array = server
        .submit(job_with("exit $((GODOCKER_TASK_ID % 2))", "requirements", "array", json!({ "values": "1:3" })))
        .await;
    server.over(array).await;
    let html = browser.page("/jobs?over=1").await;
    assert_eq!(rows(&html), [array]);
    assert!(html.contains("3 of 3 over, 2 not well") && !html.contains(&format!("/jobs/{}\"", array + 1)), "{html}");
    let toggle = format!("/jobs?over=1&#38;open={array}");
    assert!(html.contains(&format!("href=\"{toggle}\" aria-expanded=\"false\"")), "{html}");
    let html = browser.page(&toggle.replace("&#38;", "&")).await;
    for child in array + 1..=array + 3 {
        assert!(html.contains(&format!("href=\"/jobs/{child}\"")), "{child}: {html}");
    }
    assert!(html.contains("href=\"/jobs?over=1\" aria-expanded=\"true\""), "{html}");
}

async fn with_ticked(browser: &mut Browser, verb: &str, ids: &[u64], tag: &str) -> Seen {
    let csrf = browser.csrf().await;
    let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
    let mut fields = vec![("csrf", csrf.as_str()), ("do", verb), ("back", "/jobs?state=any&q=test"), ("tag", tag)];
    fields.extend(ids.iter().map(|id| ("id", id.as_str())));
    browser.post("/jobs/many", &fields).await
}

#[tokio::test]
async fn many_are_worked_on_at_once() {
    let (server, mut browser) = logged_in(native()).await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(server.submit(job("sleep 300")).await);
    }
    let seen = with_ticked(&mut browser, "tag", &ids[..2], "slow, rna").await;
    assert_eq!(seen.location, "/jobs?state=any&q=test&did=tag&n=2&no=0");
    assert!(browser.page(&seen.location).await.contains("2 jobs were tagged."));
    assert_eq!(server.task(ids[0]).await["meta"]["tags"], json!(["slow", "rna"]));
    with_ticked(&mut browser, "untag", &ids[..1], "slow").await;
    assert_eq!(rows(&browser.page("/jobs?tag=slow").await), [ids[1]]);
    let seen = with_ticked(&mut browser, "kill", &ids[..2], "").await;
    assert!(seen.location.ends_with("did=kill&n=2&no=0"), "{}", seen.location);
    for id in &ids[..2] {
        assert_eq!(server.over(*id).await["status"]["ending"], "killed");
    }
    let seen = with_ticked(&mut browser, "archive", &ids, "").await;
    assert!(seen.location.ends_with("did=archive&n=2&no=1"), "{}", seen.location);
    assert!(browser.page(&seen.location).await.contains("1 of the ticked is in no state for it."));
    assert!(with_ticked(&mut browser, "kill", &[], "").await.location.ends_with("did=nothing"));
    assert_eq!(with_ticked(&mut browser, "bake", &ids, "").await.status, 404);
}

#[tokio::test]
async fn lists_are_kept_under_names_and_not_without_end() {
    let (server, mut browser) = logged_in(native()).await;
    let csrf = browser.csrf().await;
    let keep = |name: &str| {
        vec![("csrf", csrf.clone()), ("back", "/jobs?over=1&tag=rna".to_owned()), ("name", name.to_owned())]
    };
    async fn post(browser: &mut Browser, fields: &[(&str, String)]) -> Seen {
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        browser.post("/jobs/lists", &fields).await
    }
    let seen = post(&mut browser, &keep("Paper <1>")).await;
    assert_eq!((seen.status, seen.location.as_str()), (303, "/jobs?over=1&tag=rna&did=save"), "{}", seen.html);
    let html = browser.page("/jobs").await;
    assert!(html.contains("href=\"/jobs?over=1&#38;tag=rna\">Paper &#60;1&#62;</a>"), "{html}");
    assert!(browser.page("/jobs?over=1&tag=rna").await.contains("Forget “Paper &#60;1&#62;”"));
    for n in 1..20 {
        assert_eq!(post(&mut browser, &keep(&format!("list {n}"))).await.status, 303);
    }
    assert_eq!(post(&mut browser, &keep("one too many")).await.status, 400);
    assert_eq!(post(&mut browser, &keep("  ")).await.status, 400);
    let forget = [("csrf", csrf.clone()), ("back", "/jobs".to_owned()), ("forget", "Paper <1>".to_owned())];
    assert_eq!(post(&mut browser, &forget).await.location, "/jobs?did=forget");
    assert!(!browser.page("/jobs").await.contains("Paper"));
    assert_eq!(server.get("/user/admin").await["preferences"]["lists"].as_array().unwrap().len(), 19);
}

#[tokio::test]
async fn a_job_says_what_it_waits_for_and_how_to_have_it_again() {
    let (server, mut browser) = logged_in(native()).await;
    let first = named(&server, "prepare", &[]).await;
    server.over(first).await;
    let mut second = job_with("echo 'it is'\nsleep 300", "requirements", "tasks", json!([first]));
    second["meta"] = json!({ "name": "it's <next>", "tags": ["old"] });
    let second = server.submit(second).await;
    server.running(second).await;
    let page = format!("/jobs/{second}");
    let html = browser.page(&page).await;
    let graph = between(&html, "<svg class=\"graph\"", "</svg>");
    assert!(graph.contains(&format!("href=\"/jobs/{first}\"")) && graph.contains("&lt;next&gt;"), "{graph}");
    assert!(html.contains("must end well"), "{html}");
    assert!(html.contains("--name &#39;it&#39;\\&#39;&#39;s &#60;next&#62;&#39;"), "{html}");
    for step in ["<strong>Submitted</strong>", "<strong>Started</strong>", "<strong>Runs</strong>"] {
        assert!(html.contains(step), "{step}: {html}");
    }
    // And the other way round.
    let html = browser.page(&format!("/jobs/{first}")).await;
    let graph = between(&html, "<svg class=\"graph\"", "</svg>");
    assert!(graph.contains(&format!("href=\"/jobs/{second}\"")) && graph.contains("class=\"edge\""), "{graph}");
    assert!(html.contains("Needed by") && html.contains("if this ends well"), "{html}");
    let json = html.split("task/search?depends_on=").nth(1).unwrap().split('"').next().unwrap();
    let found = server.get(&format!("/task/search?depends_on={}", json.replace("&amp;", "&"))).await;
    assert_eq!(found["items"].as_array().unwrap().iter().map(|task| &task["id"]).collect::<Vec<_>>(), [&json!(second)]);
    let csrf = browser.csrf().await;
    let seen = browser.post(&format!("{page}/tags"), &[("csrf", &csrf), ("tags", "new, other")]).await;
    assert_eq!(seen.location, format!("{page}?did=tags"));
    assert_eq!(server.task(second).await["meta"]["tags"], json!(["new", "other"]));
    assert!(browser.page(&seen.location).await.contains("value=\"new, other\""));
    let fields = [("csrf", csrf.as_str()), ("name", "of mine")];
    assert_eq!(browser.post(&format!("{page}/template"), &fields).await.location, format!("{page}?did=template"));
    assert_eq!(server.get("/templates").await[0]["name"], "of mine");
    assert_eq!(browser.post(&format!("{page}/template"), &fields).await.status, 409, "there is one of that name");
    server.kill_job(second).await;
}

#[tokio::test]
async fn pages_of_jobs_speak_french() {
    let (server, mut browser) = logged_in(native()).await;
    let failed = server.submit(job("exit 3")).await;
    server.over(failed).await;
    for (path, said) in [
        ("/jobs".to_owned(), "Rien ne s’exécute ni n’attend."),
        ("/jobs?over=1".to_owned(), "en échec"),
        (format!("/jobs/{failed}"), "Son script s’est terminé avec le code 3."),
        (format!("/jobs/{failed}/files/"), "Tout en tar"),
        (format!("/jobs/{failed}/files/cmd.sh"), "Mots dans ce fichier"),
    ] {
        let request = browser.client.get(format!("{}{path}", browser.url)).header(ACCEPT_LANGUAGE, "fr-FR,fr;q=0.9");
        let seen = browser.send(request).await;
        assert!(seen.html.contains("lang=\"fr\"") && seen.html.contains(said), "{path}: {}", seen.html);
    }
}

#[tokio::test]
async fn changes_of_jobs_are_told_to_those_who_may_see_them() {
    let server = native().start().await;
    let ann = server.new_user("ann", 7001).await;
    let bob = server.new_user("bob", 7002).await;
    let listen = async |token: &str| {
        let request = reqwest::Client::new().get(format!("{}/api/1.0/events", server.url())).bearer_auth(token);
        let mut response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.chunk().await.unwrap().unwrap(), ": listening\n\n");
        response
    };
    let (mut to_ann, mut to_bob) = (listen(&ann).await, listen(&bob).await);
    let of_ann = server.submit_as(&ann, job("true")).await;
    server.over(of_ann).await;
    let of_bob = server.submit_as(&bob, job("true")).await;
    // Each hears of their own first, and of nothing else before.
    for (stream, id) in [(&mut to_ann, of_ann), (&mut to_bob, of_bob)] {
        let heard = tokio::time::timeout(Duration::from_secs(30), stream.chunk()).await.unwrap().unwrap().unwrap();
        let heard = String::from_utf8(heard.to_vec()).unwrap();
        assert!(heard.starts_with(&format!("event: job\ndata: {{\"id\":{id},")), "{heard}");
    }
}
