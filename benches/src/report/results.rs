//! The results of earlier runs.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::Outcome;

/// One `NAME.json`.
pub struct Results(Value);

impl Results {
    pub fn read(folder: &Path, name: &str) -> Outcome<Self> {
        let path = folder.join(name).with_extension("json");
        let text = fs::read_to_string(&path);
        let text = text.map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Self(serde_json::from_str(&text)?))
    }

    /// The data at the top of the file.
    pub fn about(&self, what: &str) -> Option<&str> {
        self.0[what].as_str()
    }

    /// The version of a package.
    pub fn version(&self, package: &str) -> Option<&str> {
        self.0["versions"][package].as_str()
    }

    pub fn row(&self, name: &str) -> Option<&Value> {
        self.0["rows"].as_array()?.iter().find(|row| row["name"] == name)
    }

    /// The data of a row for a client or program.
    pub fn of(&self, row: &str, client: &str) -> Option<&Value> {
        let row = self.row(row)?;
        let mut all = ["clients", "programs"].iter().filter_map(|list| row[list].as_array());
        all.next()?.iter().find(|one| one["client"] == client || one["program"] == client)
    }

    /// The data of a program without rows.
    pub fn of_program(&self, program: &str) -> Option<&Value> {
        self.0["rows"].as_array()?.iter().find(|one| one["program"] == program)
    }
}

/// `times.json`.
pub struct Times(pub Results);

impl Times {
    pub fn title(&self, row: &str) -> Option<&str> {
        self.0.row(row)?["title"].as_str()
    }

    pub fn cpu_x_raw(&self, row: &str, client: &str) -> Option<f64> {
        self.0.of(row, client)?["cpu_x_raw"]["median"].as_f64()
    }
}
