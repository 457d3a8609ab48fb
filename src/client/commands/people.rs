//! `god user`, `god project`, `god token`, `god admin`: accounts, what they share, and the site.

use reqwest::Method;
use serde_json::{Map, Value, json};

use super::{Done, Session};
use crate::client::cli::people::{Admin, Maintenance, Project, ProjectOptions, Shares, Token, User};
use crate::client::http::Call;
use crate::client::table::Table;

pub async fn user(session: &Session, asked: User) -> Done {
    let own = || session.server.user().to_owned();
    match asked {
        User::List { search } => {
            let users = session.server.json(Call::read(&["user"]).query("search", search)).await?;
            session.output.table(&users, "nobody is like that", || user_table(&users))?;
            Ok(0)
        }
        User::Show { id } => {
            let id = id.unwrap_or_else(own);
            let user = session.server.json(Call::read(&["user", &id]).about(format!("user {id}"))).await?;
            session.output.result(&user, || facts(&user))?;
            Ok(0)
        }
        User::Set { id, shares, quota_disk, quota_upload, mail } => {
            let mut usage = shares_document(&shares);
            put(&mut usage, "quota_disk", quota_disk.map(own_or_default));
            put(&mut usage, "quota_upload", quota_upload.map(own_or_default));
            let mut sent = Map::new();
            sent.insert("usage".into(), Value::Object(usage));
            put(&mut sent, "email", mail);
            change_users(session, &[id], &Value::Object(sent)).await
        }
        User::Activate(names) => change_users(session, &names.ids, &json!({ "standing": "active" })).await,
        User::Disable(names) => change_users(session, &names.ids, &json!({ "standing": "disabled" })).await,
        User::MakeAdmin(names) => change_users(session, &names.ids, &json!({ "admin": true })).await,
        User::EndAdmin(names) => change_users(session, &names.ids, &json!({ "admin": false })).await,
        User::Reset(names) => act_on(session, "user", &names.ids, Method::DELETE, Some("quota")).await,
        User::Kill(names) => act_on(session, "user", &names.ids, Method::DELETE, Some("task")).await,
        User::Logout { id } => act_on(session, "user", &[id.unwrap_or_else(own)], Method::POST, Some("logout")).await,
        User::Delete(asked) => act_on(session, "user", &asked.ids, Method::DELETE, None).await,
    }
}

async fn change_users(session: &Session, ids: &[String], sent: &Value) -> Done {
    let mut changed = Vec::new();
    for id in ids {
        let call = Call::act(Method::PUT, &["user", id]).body(sent.clone()).about(format!("user {id}"));
        changed.push(session.server.json(call).await?);
    }
    session.output.result(&Value::Array(changed.clone()), || user_table(&Value::Array(changed)).plain())?;
    Ok(0)
}

/// Asks the same of each, in their order; ends with the first that is refused.
async fn act_on(session: &Session, kind: &str, ids: &[String], method: Method, part: Option<&str>) -> Done {
    let mut answers = Vec::new();
    for id in ids {
        let path: Vec<&str> = [kind, id].into_iter().chain(part).collect();
        let call = Call::act(method.clone(), &path).about(format!("{kind} {id}"));
        answers.push(session.server.json(call).await?);
    }
    let said = |answer: &Value| answer["msg"].as_str().unwrap_or("done").to_owned();
    let lines: String = ids.iter().zip(&answers).map(|(id, answer)| format!("{id}: {}\n", said(answer))).collect();
    session.output.result(&Value::Array(answers), || lines)?;
    Ok(0)
}

/// A quota of the account's own, or null: the site's.
fn own_or_default(quota: String) -> Value {
    if quota == "default" { Value::Null } else { Value::String(quota) }
}

fn put<T: Into<Value>>(into: &mut Map<String, Value>, key: &str, value: Option<T>) {
    if let Some(value) = value {
        into.insert(key.to_owned(), value.into());
    }
}

/// As the API names them.
fn shares_document(shares: &Shares) -> Map<String, Value> {
    let mut document = Map::new();
    put(&mut document, "prio", shares.priority);
    put(&mut document, "quota_time", shares.quota_time);
    put(&mut document, "quota_cpu", shares.quota_cpu);
    put(&mut document, "quota_ram", shares.quota_ram);
    put(&mut document, "quota_gpu", shares.quota_gpu);
    document
}

fn user_table(users: &Value) -> Table {
    let mut table = Table::new(["USER", "ACCOUNT", "KIND", "MAIL", "PRIORITY", "UID", "NOTE"]);
    for user in users.as_array().into_iter().flatten() {
        let note = if user["admin"] == true { "administrator" } else { "" };
        table.row([
            text(&user["id"]),
            text(&user["standing"]),
            text(&user["type"]),
            text(&user["email"]),
            text(&user["usage"]["prio"]),
            text(&user["uid"]),
            note.into(),
        ]);
    }
    table
}

pub async fn project(session: &Session, asked: Project) -> Done {
    match asked {
        Project::List { all } => {
            let path = if all { vec!["project"] } else { vec!["user", session.server.user(), "project"] };
            let projects = session.server.json(Call::read(&path)).await?;
            session.output.table(&projects, "there are none", || project_table(&projects))?;
            Ok(0)
        }
        Project::Show { id } => {
            let project = session.server.json(read_project(&id)).await?;
            session.output.result(&project, || facts(&project))?;
            Ok(0)
        }
        Project::Create { id, options } => {
            let mut sent = project_document(options);
            put(&mut sent, "id", Some(id.clone()));
            send_project(session, Call::act(Method::POST, &["project"]), &id, sent).await
        }
        Project::Set { id, options } => {
            send_project(session, Call::act(Method::POST, &["project", &id]), &id, project_document(options)).await
        }
        Project::AddMember(asked) => change_members(session, &asked.id, &asked.users, true).await,
        Project::RemoveMember(asked) => change_members(session, &asked.id, &asked.users, false).await,
        Project::Reset { id } => act_on(session, "project", &[id], Method::DELETE, Some("quota")).await,
        Project::Delete(asked) => act_on(session, "project", &asked.ids, Method::DELETE, None).await,
    }
}

fn read_project(id: &str) -> Call {
    Call::read(&["project", id]).about(format!("project {id}"))
}

async fn send_project(session: &Session, call: Call, id: &str, sent: Map<String, Value>) -> Done {
    let call = call.body(Value::Object(sent)).about(format!("project {id}"));
    let project = session.server.json(call).await?;
    session.output.result(&project, || facts(&project))?;
    Ok(0)
}

async fn change_members(session: &Session, id: &str, users: &[String], are: bool) -> Done {
    let project = session.server.json(read_project(id)).await?;
    let known = project["members"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let mut members: Vec<String> =
        known.filter(|known| !users.iter().any(|user| user == known)).map(str::to_owned).collect();
    if are {
        members.extend(users.iter().cloned());
    }
    let sent = Map::from_iter([("members".to_owned(), json!(members))]);
    send_project(session, Call::act(Method::POST, &["project", id]), id, sent).await
}

fn project_document(options: ProjectOptions) -> Map<String, Value> {
    let mut document = shares_document(&options.shares);
    put(&mut document, "description", options.description);
    put(&mut document, "owner", options.owner);
    put(&mut document, "members", (!options.member.is_empty()).then_some(options.member));
    put(&mut document, "volumes", (!options.volume.is_empty()).then_some(options.volume));
    document
}

fn project_table(projects: &Value) -> Table {
    let mut table = Table::new(["PROJECT", "DESCRIPTION", "CONTACT", "MEMBERS", "PRIORITY"]);
    for project in projects.as_array().into_iter().flatten() {
        let members = project["members"].as_array().map_or(0, Vec::len);
        let members = if project["id"] == "default" { "everyone".to_owned() } else { members.to_string() };
        let (id, description) = (text(&project["id"]), text(&project["description"]));
        table.row([id, description, text(&project["owner"]), members, text(&project["prio"])]);
    }
    table
}

pub async fn token(session: &Session, asked: Token) -> Done {
    let me = session.server.user().to_owned();
    match asked {
        Token::List => {
            let tokens = session.server.json(Call::read(&["user", &me, "token"])).await?;
            session.output.table(&tokens, "you have none", || token_table(&tokens))?;
        }
        Token::Create { name, scope, days } => {
            let sent = json!({ "name": name, "scope": scope, "days": days });
            let made = session.server.json(Call::act(Method::POST, &["user", &me, "token"]).body(sent)).await?;
            session.output.note("this is shown once:");
            session.output.result(&made, || format!("{}\n", text(&made["token"])))?;
        }
        Token::Delete { id } => {
            let call = Call::act(Method::DELETE, &["user", &me, "token", &id]).about(format!("token {id}"));
            let answer = session.server.json(call).await?;
            session.output.result(&answer, || format!("{id}: {}\n", text(&answer["msg"])))?;
        }
    }
    Ok(0)
}

fn token_table(tokens: &Value) -> Table {
    let mut table = Table::new(["TOKEN", "NAME", "MAY", "ENDS"]);
    for token in tokens.as_array().into_iter().flatten() {
        let ends = token["expires"].as_f64().map_or_else(|| "never".to_owned(), date);
        table.row([text(&token["id"]), text(&token["name"]), text(&token["scope"]), ends]);
    }
    table
}

pub async fn admin(session: &Session, asked: Admin) -> Done {
    match asked {
        Admin::Maintenance(asked) => maintenance(session, asked).await,
        Admin::Audit { actor, subject, action, limit } => {
            let mut call = Call::read(&["audit"]).query("limit", limit);
            for (name, value) in [("actor", actor), ("subject", subject), ("action", action)] {
                if let Some(value) = value {
                    call = call.query(name, value);
                }
            }
            let lines = session.server.json(call).await?;
            session.output.table(&lines, "nothing is written down about that", || audit_table(&lines))?;
            Ok(0)
        }
    }
}

async fn maintenance(session: &Session, asked: Maintenance) -> Done {
    let change = |sent: Value| Call::act(Method::PUT, &["maintenance"]).body(sent);
    match asked {
        Maintenance::On { message } => {
            session.server.json(change(json!({ "on": true, "message": message }))).await?;
        }
        Maintenance::Off => {
            session.server.json(change(json!({ "on": false }))).await?;
        }
        Maintenance::Show => {}
    }
    let now = session.server.json(Call::read(&["maintenance"])).await?;
    session.output.result(&now, || match now["on"].as_bool() {
        Some(true) => format!("on: {}\n", text(&now["message"])),
        _ => "off\n".to_owned(),
    })?;
    Ok(0)
}

fn audit_table(lines: &Value) -> Table {
    let mut table = Table::new(["WHEN", "WHO", "WHAT", "ON", "DETAILS"]);
    for line in lines.as_array().into_iter().flatten() {
        let details = if line["details"] == json!({}) { String::new() } else { line["details"].to_string() };
        let when = line["at"].as_f64().map_or_else(String::new, date);
        table.row([when, text(&line["actor"]), text(&line["action"]), text(&line["subject"]), details]);
    }
    table
}

/// A document as lines of names and values.
fn facts(document: &Value) -> String {
    let mut lines = String::new();
    let mut add = |name: &str, value: &Value| {
        if !value.is_null() && *value != json!("") && *value != json!([]) {
            lines.push_str(&format!("{:<14}  {}\n", name, crate::client::table::printable(&text(value))));
        }
    };
    for (name, value) in document.as_object().into_iter().flatten() {
        match value {
            Value::Object(inner) => inner.iter().for_each(|(name, value)| add(name, value)),
            value => add(name, value),
        }
    }
    lines
}

fn date(seconds: f64) -> String {
    let moment = jiff::Timestamp::from_millisecond((seconds * 1000.0) as i64).unwrap_or_default();
    moment.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// A text as it is, a list of texts divided by spaces, anything else as JSON; nothing for null.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        Value::Array(items) if items.iter().all(|item| !item.is_object()) => {
            items.iter().map(text).collect::<Vec<_>>().join(" ")
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_told_in_lines() {
        let user = json!({ "id": "ann", "email": null, "sgids": [27, 100], "usage": { "prio": 50 } });
        assert_eq!(facts(&user), "id              ann\nsgids           27 100\nprio            50\n");
    }
}
