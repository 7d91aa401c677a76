//! Settings from several sources, each overriding the ones before it: defaults, a recipe, a file, single
//! keys.

use crate::dataset::read::foreign::{Foreign, recognise};
use crate::error::Shown as _;
use crate::files::read_text;
use crate::limits::MAX_TEXT;
use crate::optim::OptimizerKind;
use crate::train::config::TrainConfig;
use crate::{Error, Result};
use std::path::Path;
use toml::{Table, Value};

/// The built-in recipes: name and text of the file in `data/recipes`.
pub const RECIPES: [(&str, &str); 2] = [
    ("fast", include_str!("../../data/recipes/fast.toml")),
    ("best", include_str!("../../data/recipes/best.toml")),
];

/// Default learning rate of Adam and AdamW.
const ADAM_RATE: f64 = 1e-3;

/// Settings that override the defaults. Later settings override earlier ones.
#[derive(Clone, Debug)]
pub struct Settings {
    table: Table,
    /// Whether a file or a key sets the learning rate. Those of defaults and recipes are for SGD.
    rate_chosen: bool,
}

impl Settings {
    /// Starts from the defaults.
    ///
    /// # Errors
    /// [`Error::Usage`] if the defaults cannot be written as TOML.
    pub fn new() -> Result<Self> {
        let text = TrainConfig::default().to_toml()?;
        let table = text.parse().map_err(|e: toml::de::Error| Error::Usage(e.to_string()))?;
        Ok(Settings { table, rate_chosen: false })
    }

    /// Applies a built-in recipe.
    ///
    /// # Errors
    /// [`Error::Usage`] for an unknown name.
    pub fn recipe(&mut self, name: &str) -> Result<()> {
        let Some((_, text)) = RECIPES.iter().find(|(known, _)| *known == name) else {
            let known = RECIPES.map(|(name, _)| name).join(", ");
            return Err(Error::Usage(format!("no recipe `{name}`; there are {known}")));
        };
        self.apply(text, &format!("recipe {name}")).map(drop)
    }

    /// Applies a TOML file.
    ///
    /// # Errors
    /// [`Error::Usage`] if it cannot be read or holds an unknown key or a bad value.
    pub fn file(&mut self, path: &Path) -> Result<()> {
        let text = read_text(path, MAX_TEXT)
            .map_err(|e| Error::Usage(format!("{}: {e}", path.shown())))?;
        let applied = self.apply(&text, &path.shown())?;
        self.rate_chosen |= applied.contains_key("lr");
        Ok(())
    }

    /// Applies one setting, `KEY=VALUE`: `mixup=0.2`, `augment.flip=random`, `budget.epochs=30`. A
    /// value that is not TOML is taken as a string.
    ///
    /// # Errors
    /// [`Error::Usage`] without a `=`, for an unknown key or a value of another type.
    pub fn key(&mut self, setting: &str) -> Result<()> {
        let Some((key, value)) = setting.split_once('=') else {
            return Err(Error::Usage(format!("--set {setting}: expected KEY=VALUE")));
        };
        let (key, value) = (key.trim(), value.trim());
        let quoted = Value::String(value.into());
        let as_toml = format!("{key} = {value}");
        let text = match as_toml.parse::<Table>() {
            Ok(_) => as_toml,
            Err(_) => format!("{key} = {quoted}"),
        };
        self.rate_chosen |= key == "lr";
        self.apply(&text, &format!("--set {setting}")).map(drop)
    }

    /// Merges settings into the table and returns them; `place` is named in messages.
    fn apply(&mut self, text: &str, place: &str) -> Result<Table> {
        let usage = |e: toml::de::Error| {
            let foreign = recognise(text.as_bytes()).map(Foreign::as_toml);
            Error::Usage(format!("{place}: {}", foreign.unwrap_or_else(|| e.to_string())))
        };
        toml::from_str::<TrainConfig>(text).map_err(usage)?; // its messages name line and key
        let above: Table = text.parse().map_err(usage)?;
        require_lengths(&self.table, &above, "")
            .map_err(|e| Error::Usage(format!("{place}: {e}")))?;
        merge(&mut self.table, above.clone());
        Ok(above)
    }

    /// Returns the resolved configuration, with `optimizer` if one is given. Adam's learning rate is
    /// 0.001 unless a file or a key sets it.
    ///
    /// # Errors
    /// [`Error::Usage`] if the settings do not fit together.
    pub fn resolve(self, optimizer: Option<OptimizerKind>) -> Result<TrainConfig> {
        let usage = |e: toml::de::Error| Error::Usage(e.to_string());
        let mut config: TrainConfig = self.table.try_into().map_err(usage)?;
        config.optimizer.kind = optimizer.unwrap_or(config.optimizer.kind);
        if !self.rate_chosen
            && matches!(config.optimizer.kind, OptimizerKind::Adam | OptimizerKind::AdamW)
        {
            config.lr = ADAM_RATE;
        }
        Ok(config)
    }
}

/// Refuses a list of numbers that is longer or shorter than the one it replaces: such lists are ranges.
fn require_lengths(below: &Table, above: &Table, place: &str) -> Result<(), String> {
    for (key, value) in above {
        match (below.get(key), value) {
            (Some(Value::Table(old)), Value::Table(new)) => {
                require_lengths(old, new, &format!("{place}{key}."))?;
            }
            (Some(Value::Array(old)), Value::Array(new))
                if old.iter().all(|v| v.is_float() || v.is_integer())
                    && !old.is_empty()
                    && old.len() != new.len() =>
            {
                let (found, expected) = (new.len(), old.len());
                return Err(format!("{place}{key}: expected {expected} numbers, found {found}"));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Merges tables key by key and replaces everything else, also the budget, which is one of two keys.
fn merge(below: &mut Table, above: Table) {
    for (key, value) in above {
        match (below.get_mut(&key), value) {
            (Some(Value::Table(old)), Value::Table(new)) if key != "budget" => merge(old, new),
            (_, value) => drop(below.insert(key, value)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::augment::Flip;
    use crate::train::config::Budget;

    fn resolve(apply: impl Fn(&mut Settings) -> Result<()>) -> Result<TrainConfig> {
        let mut settings = Settings::new()?;
        apply(&mut settings)?;
        settings.resolve(None)
    }

    #[test]
    fn later_settings_count_and_the_rest_stays() {
        let config = resolve(|s| {
            s.recipe("fast")?;
            s.apply("[budget]\nepochs = 3\n[augment]\nrotation = 1.0", "file").map(drop)?;
            s.key("lr=0.02")?;
            s.key("augment.flip = random")?;
            s.key("arch=fer-s")
        })
        .unwrap();
        let recipe = resolve(|s| s.recipe("fast")).unwrap();
        assert_eq!(config.budget, Budget::Epochs(3));
        assert_eq!((config.lr, config.arch.as_str()), (0.02, "fer-s"));
        assert_eq!((config.augment.rotation, config.augment.flip), (1.0, Flip::Random));
        assert_eq!(config.augment.zoom, recipe.augment.zoom);
        assert_eq!(config.sizes, recipe.sizes);
        assert_eq!(resolve(|_| Ok(())).unwrap(), TrainConfig::default());
    }

    #[test]
    fn adam_has_a_rate_of_its_own_unless_one_is_asked_for() {
        let rate = |keys: &[&str], kind| {
            let mut settings = Settings::new().unwrap();
            settings.recipe("fast").unwrap();
            keys.iter().for_each(|key| settings.key(key).unwrap());
            settings.resolve(kind).unwrap().lr
        };
        let of_the_recipe = rate(&[], None);
        assert!(of_the_recipe > 0.01, "the recipe's rate is for sgd");
        assert_eq!(rate(&[], Some(OptimizerKind::AdamW)), 0.001);
        assert_eq!(rate(&["optimizer.kind=adam"], None), 0.001);
        assert_eq!(rate(&["lr=0.0003"], Some(OptimizerKind::Adam)), 0.0003);
        assert_eq!(rate(&["lr=0.0003", "optimizer.kind=adam"], None), 0.0003);
        assert_eq!(rate(&["optimizer.kind=adam"], Some(OptimizerKind::Sgd)), of_the_recipe);
    }

    #[test]
    fn every_recipe_is_valid_and_ends_at_the_side_of_a_face() {
        for (name, _) in RECIPES {
            let config = resolve(|s| s.recipe(name)).unwrap();
            config.validate().unwrap();
            assert_eq!(config.final_side(), crate::SIDE, "{name}");
        }
    }

    #[test]
    fn one_teacher_needs_no_list() {
        let teachers = |key: &str| resolve(|s| s.key(key)).unwrap().teacher;
        assert_eq!(teachers("teacher=runs/a"), teachers("teacher=['runs/a']"));
        assert_eq!(teachers("teacher=['a', 'b']").len(), 2);
    }

    #[test]
    fn mistakes_are_named() {
        for (setting, word) in [
            ("mixup", "KEY=VALUE"),
            ("mix_up=0.2", "mix_up"),
            ("lr=fast", "--set lr=fast"),
            ("augment.rotate=3", "rotate"),
        ] {
            let e = resolve(|s| s.key(setting)).unwrap_err().to_string();
            assert!(e.contains(word), "{setting}: {e}");
        }
        assert!(resolve(|s| s.recipe("slow")).unwrap_err().to_string().contains("fast, best"));
    }

    /// The table in `data/recipes/README.md` names every key that a configuration holds, and no other.
    #[test]
    fn every_key_is_documented() {
        fn keys(table: &Table, prefix: &str, out: &mut Vec<String>) {
            for (key, value) in table {
                match value {
                    Value::Table(inner) if key != "budget" => keys(inner, &format!("{key}."), out),
                    _ => out.push(format!("{prefix}{key}")),
                }
            }
        }
        let all = TrainConfig {
            data: Some("a".into()),
            val: Some("b".into()),
            from: Some("c".into()),
            teacher: vec!["d".into()],
            micro_batch: Some(8),
            reduce: crate::train::parallel::Reduce::Fast,
            precision: fer_kernels::Precision::Bf16,
            overfit: Some(1),
            patience: Some(1),
            ..TrainConfig::default()
        };
        let mut found = Vec::new();
        keys(&all.to_toml().unwrap().parse().unwrap(), "", &mut found);
        let table = include_str!("../../data/recipes/README.md");
        let rows = table.lines().filter_map(|row| row.strip_prefix("| `")?.split_once("` |"));
        let rows: Vec<&str> = rows.map(|(key, _)| key).collect();
        for key in &found {
            assert!(rows.contains(&key.as_str()), "{key} is not in data/recipes/README.md");
        }
        for key in rows {
            assert!(found.iter().any(|f| f == key), "data/recipes/README.md: there is no {key}");
        }
    }

    /// What the recipes' page says a tool gains is what the ablation's table says: the gain of a
    /// variant with the tool, or what a variant without it loses.
    #[test]
    fn the_gains_of_the_tools_are_those_of_the_ablation() {
        let ablation = include_str!("../../data/recipes/ablation/ablation.md");
        let (_, measured) = ablation.split_once("## Off alone").expect("a table of what is off");
        let (off, on) = measured.split_once("## On alone").expect("a table of what is on");
        let cells = |row: &str| row.split('|').map(|c| c.trim().to_owned()).collect::<Vec<_>>();
        let gain_in = |table: &str, variant: &str| {
            let row = table.lines().map(cells).find(|c| c.get(1).is_some_and(|c| c == variant))?;
            row[4].split_once(' ')?.0.parse::<f64>().ok()
        };
        let gain = |variant: &str| gain_in(on, variant).or(gain_in(off, variant).map(|g| -g));
        let page = include_str!("../../data/recipes/README.md");
        let (_, page) = page.split_once("| tool |").expect("a table of tools");
        let rows: Vec<_> = page.lines().skip(2).take_while(|l| l.starts_with('|')).collect();
        assert!(rows.len() > 15, "{} tools", rows.len());
        for row in rows.into_iter().map(cells) {
            let said: f64 = row[3].replace('\u{2212}', "-").parse().expect("a number");
            assert_eq!(gain(&row[4]), Some(said), "{}", row[1]);
        }
    }
}
