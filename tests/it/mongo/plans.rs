//! Nothing is looked for without an index: of each question that the server was asked, some field is the first of an index.
//!
//! How SecantusDB explains a plan says little of MongoDB's: it takes an index only for the simplest filters.

use std::collections::BTreeMap;

use futures::TryStreamExt;
use mongodb::IndexModel;
use mongodb::bson::{Bson, Document, doc};

use super::Database;

/// From now on the server writes down what it is asked.
pub async fn listen(database: &Database) {
    database.run(doc! { "profile": 2 }).await;
}

/// Panics at a question that no index answers.
pub async fn all_have_an_index(database: &Database) {
    database.run(doc! { "profile": 0 }).await;
    let mut asked = BTreeMap::new();
    let mut log = database.collection("system.profile").find(doc! {}).await.unwrap();
    while let Some(entry) = log.try_next().await.unwrap() {
        let Ok(command) = entry.get_document("command") else { continue };
        for (collection, filter) in questions(command) {
            let shape = format!("{collection} {}", shape(&Bson::Document(filter.clone())));
            asked.entry(shape).or_insert((collection, filter));
        }
    }
    for (shape, (collection, filter)) in asked {
        let indexes = database.collection(&collection).list_indexes().await.unwrap();
        let indexes: Vec<_> = indexes.try_collect().await.unwrap();
        assert!(indexes.iter().any(|index| answers(index, &filter)), "no index answers {shape}");
    }
}

fn answers(index: &IndexModel, filter: &Document) -> bool {
    let first = index.keys.keys().next().unwrap();
    let partial = index.options.as_ref().and_then(|options| options.partial_filter_expression.as_ref());
    let is_there = partial.is_none_or(|partial| partial.keys().all(|field| filter.contains_key(field)));
    is_there && filter.get(first).is_some_and(narrows)
}

/// Whether a condition is on a part of an index.
fn narrows(condition: &Bson) -> bool {
    let Bson::Document(operators) = condition else { return *condition != Bson::Null };
    let part = ["$in", "$lt", "$lte", "$gt", "$gte", "$eq"];
    operators.keys().any(|operator| part.contains(&operator.as_str())) || operators.get_bool("$exists").unwrap_or(false)
}

/// What a command looks for. A disjunction is one question a branch, as MongoDB answers it.
fn questions(command: &Document) -> Vec<(String, Document)> {
    let text = |key: &str| command.get_str(key).ok().map(str::to_owned);
    let within = |key: &str, inner: &str| {
        let all = command.get_array(key).into_iter().flatten().filter_map(Bson::as_document);
        all.filter_map(|one| one.get_document(inner).ok().cloned()).collect::<Vec<_>>()
    };
    let (collection, filters) = if let Some(collection) = text("find") {
        (collection, vec![command.get_document("filter").cloned().unwrap_or_default()])
    } else if let Some(collection) = text("update") {
        (collection, within("updates", "q"))
    } else if let Some(collection) = text("delete") {
        (collection, within("deletes", "q"))
    } else if let Some(collection) = text("aggregate") {
        (collection, within("pipeline", "$match").into_iter().take(1).collect())
    } else {
        return Vec::new();
    };
    let branches = filters.iter().flat_map(branches).filter(|filter| !filter.is_empty());
    branches.map(|filter| (collection.clone(), filter)).collect()
}

fn branches(filter: &Document) -> Vec<Document> {
    let Ok(branches) = filter.get_array("$or") else { return vec![filter.clone()] };
    let mut rest = filter.clone();
    rest.remove("$or");
    let with_rest = |branch: &Document| rest.clone().into_iter().chain(branch.clone()).collect();
    branches.iter().filter_map(Bson::as_document).map(with_rest).collect()
}

/// A question without its values.
fn shape(value: &Bson) -> String {
    match value {
        Bson::Document(document) => {
            let fields: Vec<_> = document.iter().map(|(key, value)| format!("{key}:{}", shape(value))).collect();
            format!("{{{}}}", fields.join(","))
        }
        Bson::Array(values) => format!("[{}]", values.first().map(shape).unwrap_or_default()),
        _ => "?".into(),
    }
}
