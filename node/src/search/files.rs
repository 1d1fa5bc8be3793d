//! Opening the index's directory, or starting it anew.
//!
//! An index is only a copy: one that cannot be trusted is deleted, never repaired.

use std::{fs, io, path::Path};

use tantivy::{
    Index, IndexReader, IndexSettings, ReloadPolicy,
    directory::{Directory as _, INDEX_WRITER_LOCK},
    tokenizer::TextAnalyzer,
};
use wego_proto::id::StoreId;

use super::{
    directory::UnsyncedDirectory,
    mark::{Epochs, Mark},
    schema::{Fields, TOKENIZER},
    tokenizer::TextTokenizer,
    writing::open_writer,
};

/// Memory for the one commit that marks a new index, in bytes.
const MARK_BYTES: usize = 15_000_000;

/// An open index.
pub(super) struct Files {
    pub(super) index: Index,
    pub(super) reader: IndexReader,
    pub(super) mark: Mark,
}

/// Opens the index in `dir`, if it was built from this store by these rules and is sound.
pub(super) fn open(dir: &Path, store_id: StoreId) -> tantivy::Result<Option<Files>> {
    if !dir.join("meta.json").exists() {
        return Ok(None);
    }
    let directory = UnsyncedDirectory::open(dir)?;
    // Held while the files are judged: an index that another process writes is not unsound.
    let lock = directory.acquire_lock(&INDEX_WRITER_LOCK);
    let _lock = lock.map_err(|error| tantivy::TantivyError::LockFailure(error, None))?;
    let index = Index::open(directory)?;
    let payload = index.load_metas()?.payload.unwrap_or_default();
    let (schema, _) = Fields::schema();
    let Some(mark) = Mark::read(&payload, store_id).filter(|_| index.schema() == schema) else {
        tracing::info!("search index is of another store or version");
        return Ok(None);
    };
    let damaged = index.validate_checksum()?;
    if !damaged.is_empty() {
        tracing::warn!(files = damaged.len(), "search index is damaged");
        return Ok(None);
    }
    let (index, reader) = with_reader(index)?;
    Ok(Some(Files { index, reader, mark }))
}

/// Deletes any index in `dir` and starts an empty one there.
pub(super) fn start_anew(dir: &Path, store_id: StoreId, epochs: Epochs) -> tantivy::Result<Files> {
    fs::create_dir_all(dir)?;
    delete_index(dir)?;
    let (schema, _) = Fields::schema();
    let directory = UnsyncedDirectory::open(dir)?;
    let (index, reader) = with_reader(Index::create(directory, schema, IndexSettings::default())?)?;
    let mark = Mark::new(store_id, 0, epochs);
    let mut writer = open_writer(&index, MARK_BYTES)?;
    let mut prepared = writer.prepare_commit()?;
    prepared.set_payload(&mark.write());
    prepared.commit()?;
    reader.reload()?;
    Ok(Files { index, reader, mark })
}

/// Deletes the files of an index and no others: nothing else is lost where the directory was named by mistake.
fn delete_index(dir: &Path) -> io::Result<()> {
    for file in fs::read_dir(dir)? {
        let file = file?;
        if file.file_type()?.is_file() && file.file_name().to_str().is_some_and(belongs_to_index) {
            fs::remove_file(file.path())?;
        }
    }
    Ok(())
}

fn belongs_to_index(name: &str) -> bool {
    let is_segment = |stem: &str| stem.len() == 32 && stem.bytes().all(|byte| byte.is_ascii_hexdigit());
    matches!(name, "meta.json" | "meta.new" | ".managed.json" | ".managed.new")
        || name.starts_with(".tantivy-")
        || name.split_once('.').is_some_and(|(stem, _)| is_segment(stem))
}

fn with_reader(index: Index) -> tantivy::Result<(Index, IndexReader)> {
    index.tokenizers().register(TOKENIZER, TextAnalyzer::from(TextTokenizer));
    let reader = index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into()?;
    Ok((index, reader))
}
