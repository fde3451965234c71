//! What a request works with: the store, the reference data, the keys, the clock. Built once, shared by all.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use chrono::NaiveDate;

use crate::aggregates::live::LiveColumns;
use crate::aggregates::reference::{CategoryReference, CountryReference, Reference};
use crate::audit::adopt::adopt;
use crate::audit::head::{Signer, Verifier};
use crate::audit::keeper::Keeper;
use crate::auth::passwords::Passwords;
use crate::clock::Clock;
use crate::config::{PublicUrl, SecurityContact, StoreConfig};
use crate::db::dialect::{self, DbConn};
use crate::db::{Db, DbOptions, OpenError, sealed};
use crate::geo::areas::Areas;
use crate::geo::error::DataError as GeoDataError;
use crate::geo::geotag::{Flag, Precision, SiteDistance};
use crate::geo::locate::Geo;
use crate::geodata::store as packs;
use crate::incidents::rules::{
    ANSWERED, CLOCK_IMPLAUSIBLE, REPORT_WITHDRAWN, REVISED_AFTER_DECISION, UNCATEGORISED,
};
use crate::incidents::search::limits::Searches;
use crate::intake::fields::Fields;
use crate::intake::prepare::{Channel, Submitter, Workbench};
use crate::intake::validate::Catalogues;
use crate::keys::opening::take_up;
use crate::keys::store::{self as rotations, Rotation};
use crate::notify::notifier::Notifier;
use crate::people::regions::store as regions;
use crate::people::regions::types::{Region, RegionLevel};
use crate::releases::shelf::Shelf;
use crate::seal::envelope::{SealError, Sealer};
use crate::seal::key::InstanceKey;
use crate::seal::key_file::KeyFileMode;
use crate::seal::subkeys::{SubKeySet, WrappedSubKey};
use crate::taxonomy::catalogue::Taxonomy;
use crate::taxonomy::error::DataError as TaxonomyDataError;
use crate::taxonomy::lexicon::classify::Classifier;
use crate::taxonomy::lists::{CodeLists, ListName};

/// Everything a request works with.
pub struct Context {
    /// The store.
    pub db: Db,
    /// Categories.
    pub taxonomy: Taxonomy,
    /// Suggests categories for narratives.
    pub classifier: Arc<Classifier>,
    /// Code lists.
    pub lists: CodeLists,
    /// The field dictionary.
    pub fields: Fields,
    /// Seals and opens.
    pub sealer: Sealer,
    /// Veils, pseudonyms, MACs.
    pub keys: SubKeySet,
    /// Checks the heads of the audit log.
    pub auditor: Verifier,
    /// Hashes passwords, a few at once.
    pub passwords: Passwords,
    /// The time.
    pub clock: Clock,
    /// The counting columns.
    pub live: LiveColumns,
    /// Where the instance key lies.
    pub key_place: KeyPlace,
    /// Where people reach the service, where that is known.
    pub public_url: Option<PublicUrl>,
    /// Where faults of security are reported.
    pub security_contact: Option<SecurityContact>,
    /// What others are told of changes with.
    pub notifier: Notifier,
    /// How much is searched, and by whom now.
    pub searches: Searches,
    /// The releases that were asked for last.
    pub shelf: Shelf,
    world: RwLock<World>,
    /// One renewal of the world at a time.
    renewing: Mutex<()>,
}

/// Places and regions, and what filters and groupings know of them: they change when a boundary pack is imported or a
/// region is edited.
#[derive(Clone)]
struct World {
    geo: Arc<Geo>,
    regions: Arc<[Region]>,
    reference: Arc<Reference>,
    /// The version of the packs in `geo`.
    packs: i64,
    /// The version of `regions`.
    regions_version: i64,
}

/// Where the instance key lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyPlace {
    /// In a file kept apart from the data.
    File(PathBuf),
    /// In a credential that the service manager hands over.
    Credential(PathBuf),
    /// In the environment.
    Environment,
    /// In this file of the data folder: whoever takes the disk has both.
    BesideData(PathBuf),
}

impl KeyPlace {
    /// Returns the file it was read from, if it was one.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::File(path) | Self::Credential(path) | Self::BesideData(path) => Some(path),
            Self::Environment => None,
        }
    }
}

/// Why the service cannot start; the message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The database.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The key.
    #[error("{0}")]
    Key(String),
    /// The database has data and no key was given.
    #[error("the database was sealed with an instance key, and none is here: give --key-file, or put the key to {}", .0.display())]
    KeyLost(PathBuf),
    /// The key is another one.
    #[error("the instance key does not open this database: {0}")]
    WrongKey(SealError),
    /// The key was the right one once.
    #[error(
        "instance key {old_id} opens nothing any more: it was replaced by {new_id} on {on}. Give the file of that key with \
         --key-file, or write it again from its recovery text with `sentinelle keys restore`"
    )]
    KeyReplaced {
        /// Id of the key that was given.
        old_id: String,
        /// Id of the key that replaced it.
        new_id: String,
        /// When.
        on: NaiveDate,
    },
    /// Reading or writing the secrets of the instance.
    #[error("cannot read the instance's secrets: {0}")]
    Secrets(crate::error::Error),
    /// Entries of the audit log from before it was chained.
    #[error("cannot move the earlier audit entries into a chain: {0}")]
    Audit(crate::error::Error),
    /// Imported boundary packs.
    #[error("cannot read the imported boundary packs: {0}")]
    Packs(crate::error::Error),
    /// The regions.
    #[error("cannot read the regions: {0}")]
    Regions(crate::error::Error),
    /// Settings of mail.
    #[error("{0}")]
    Notify(String),
    /// Built-in places.
    #[error(transparent)]
    Geo(#[from] GeoDataError),
    /// Built-in taxonomy.
    #[error(transparent)]
    Taxonomy(#[from] TaxonomyDataError),
    /// Built-in field dictionary.
    #[error("api-spec/fields.csv: {0}")]
    Fields(#[from] csv::Error),
}

impl Context {
    /// Opens the store with its key and loads the reference data.
    ///
    /// `announce` is told, once, what a person must know: that a key was made and its recovery text.
    ///
    /// # Errors
    /// See [`StartError`].
    pub fn open(
        config: &StoreConfig,
        clock: Clock,
        announce: &mut dyn FnMut(&str),
    ) -> Result<Self, StartError> {
        let db = Db::open(&DbOptions::new(config.url()))?;
        Self::with_db(db, config, clock, announce)
    }

    /// Like [`Context::open`] on a store opened by the caller.
    ///
    /// # Errors
    /// See [`StartError`].
    pub fn with_db(
        db: Db,
        config: &StoreConfig,
        clock: Clock,
        announce: &mut dyn FnMut(&str),
    ) -> Result<Self, StartError> {
        let notifier = Notifier::new(&config.notify, config.public.public_url.as_ref());
        let notifier = notifier.map_err(StartError::Notify)?;
        let (sealer, keys, key_place) = open_keys(&db, config, announce)?;
        let auditor = keep_audit(&db, &keys, &clock)?;
        let Builtin { taxonomy, classifier, geo } = Builtin::get()?;
        let lists = CodeLists::builtin()?;
        let regions: Arc<[Region]> = Arc::new([]);
        let reference = Arc::new(reference(&geo, &regions, &taxonomy, &lists));
        let live = LiveColumns::new(Arc::clone(&reference));
        let fields = Fields::builtin()?;
        let passwords = Passwords::new(&keys);
        let world = World { geo, regions, reference, packs: 0, regions_version: 0 };
        let context = Self {
            db,
            taxonomy,
            classifier,
            lists,
            fields,
            sealer,
            keys,
            auditor,
            passwords,
            clock,
            live,
            key_place,
            public_url: config.public.public_url.clone(),
            security_contact: config.public.security_contact.clone(),
            notifier,
            searches: Searches::new(&config.search),
            shelf: Shelf::default(),
            world: RwLock::new(world),
            renewing: Mutex::new(()),
        };
        context.refresh_packs().map_err(StartError::Packs)?;
        let refreshed = context.db.read_here(|conn| context.refresh_regions(conn));
        refreshed.map_err(StartError::Regions)?;
        Ok(context)
    }

    /// Returns the places as they are now; a request that asks twice may get two, one of them newer.
    pub fn geo(&self) -> Arc<Geo> {
        self.world().geo
    }

    /// Returns what filters and groupings know of the world.
    pub fn reference(&self) -> Arc<Reference> {
        self.world().reference
    }

    /// Returns the regions.
    pub fn regions(&self) -> Arc<[Region]> {
        self.world().regions
    }

    /// Returns the versions of packs and of regions: names of places change with them alone.
    pub fn world_versions(&self) -> (i64, i64) {
        let world = self.world();
        (world.packs, world.regions_version)
    }

    fn world(&self) -> World {
        self.world.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes up boundary packs that were imported or removed since the last time, by this program or another.
    ///
    /// # Errors
    /// When the database fails or a pack is damaged; the places stay as they were.
    pub fn refresh_packs(&self) -> crate::error::Result<()> {
        let _turn = self.renewing.lock().unwrap_or_else(PoisonError::into_inner);
        let world = self.world();
        let newer = self.db.read_here(|conn| packs::load_newer_than(conn, world.packs))?;
        if let Some((version, packs)) = newer {
            let geo = Arc::new(world.geo.with_packs(packs));
            self.renew(World { geo, packs: version, ..world });
        }
        Ok(())
    }

    /// Takes up regions that were edited since the last time, here or at another server.
    ///
    /// # Errors
    /// When the database fails; the regions stay as they were.
    pub fn refresh_regions(&self, conn: &mut DbConn) -> crate::error::Result<()> {
        let _turn = self.renewing.lock().unwrap_or_else(PoisonError::into_inner);
        let world = self.world();
        let known = world.regions_version;
        let newer = regions::load_newer_than(conn, known, world.geo.countries())?;
        if let Some((version, regions)) = newer {
            self.renew(World { regions: regions.into(), regions_version: version, ..world });
        }
        Ok(())
    }

    /// Puts `world` in the place of the one in use, with what filters and groupings know of it.
    fn renew(&self, world: World) {
        let reference =
            Arc::new(reference(&world.geo, &world.regions, &self.taxonomy, &self.lists));
        self.live.set_reference(Arc::clone(&reference));
        *self.world.write().unwrap_or_else(PoisonError::into_inner) = World { reference, ..world };
    }

    /// Takes up what became of the instance key since the last time: seals under the new one while and after it is changed.
    ///
    /// # Errors
    /// When the database fails, or the key was changed while this process did not look and its file holds the old one.
    pub fn refresh_keys(&self) -> crate::error::Result<()> {
        let state = self.db.read_here(|conn| Ok(rotations::find_state(conn)?))?;
        let Err(error) = take_up(&self.sealer, &state) else {
            return Ok(());
        };
        let replaced = self.key_place.path().and_then(|path| InstanceKey::read_file(path).ok());
        let replaced = replaced.filter(|file| state.current.as_deref() == Some(file.key.id()));
        let Some(file) = replaced else {
            return Err(error.into());
        };
        self.sealer.add_key(file.key);
        Ok(take_up(&self.sealer, &state)?)
    }

    /// Returns how browsers write our address, where that is known.
    pub fn own_origin(&self) -> Option<&str> {
        self.public_url.as_ref().map(PublicUrl::origin)
    }

    /// Returns what codes are checked against.
    pub fn catalogues(&self) -> Catalogues<'_> {
        Catalogues { taxonomy: &self.taxonomy, lists: &self.lists, geo: self.geo() }
    }

    /// Returns what preparing a report needs.
    pub fn workbench(&self) -> Workbench<'_> {
        let Self { taxonomy, classifier, fields, sealer, keys, .. } = self;
        Workbench { geo: self.geo(), taxonomy, classifier, fields, sealer, keys }
    }

    /// Returns the pseudonym under which a principal's reports are kept.
    pub fn submitter(&self, principal: &crate::auth::types::Principal) -> Submitter {
        self.keys.pseudonym(&principal.submitter_bytes())
    }
}

/// What is built into the program and takes long to read: read once, however many contexts a process opens.
#[derive(Clone)]
struct Builtin {
    taxonomy: Taxonomy,
    classifier: Arc<Classifier>,
    geo: Arc<Geo>,
}

impl Builtin {
    fn get() -> Result<Self, StartError> {
        static READ: Mutex<Option<Builtin>> = Mutex::new(None);
        let mut read = READ.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(builtin) = &*read {
            return Ok(builtin.clone());
        }
        let taxonomy = Taxonomy::builtin()?;
        let classifier = Arc::new(Classifier::builtin(&taxonomy)?);
        let builtin = Self { taxonomy, classifier, geo: Arc::new(Geo::builtin()?) };
        Ok(read.insert(builtin).clone())
    }
}

/// Opens the secrets of the instance with its key; on a new database makes both, once, whoever else starts now.
fn open_keys(
    db: &Db,
    config: &StoreConfig,
    announce: &mut dyn FnMut(&str),
) -> Result<(Sealer, SubKeySet, KeyPlace), StartError> {
    let list =
        || db.read_here(|conn| Ok(sealed::list_instance_keys(conn)?)).map_err(StartError::Secrets);
    let mut wrapped = list()?;
    // Held while key and secrets are made: two processes on one folder take turns, and the second finds both made.
    let turn = if wrapped.is_empty() { Some(lock_folder(config)?) } else { None };
    if turn.is_some() {
        wrapped = list()?;
    }
    let mut news = Vec::new();
    let (key, key_place) =
        find_key(config, wrapped.is_empty(), &mut |words| news.push(words.to_owned()))?;
    let sealer = Sealer::new(key);
    let keys = if wrapped.is_empty() {
        make_secrets(db, &sealer, list)?
    } else {
        open_secrets(db, &sealer)?
    };
    // Only now is the key this instance's.
    for words in &news {
        announce(words);
    }
    Ok((sealer, keys, key_place))
}

/// Opens the secrets with the key at hand: while the instance key is changed, either does.
fn open_secrets(db: &Db, sealer: &Sealer) -> Result<SubKeySet, StartError> {
    let held = sealer.instance_key();
    let look = |conn: &mut DbConn| {
        dialect::snapshot(conn, |conn| {
            let replaced = rotations::find_rotation_from(conn, held.id())?;
            Ok((rotations::find_state(conn)?, sealed::list_instance_keys(conn)?, replaced))
        })
    };
    let (state, wrapped, replaced) = db.read_here(look).map_err(StartError::Secrets)?;
    match (take_up(sealer, &state), replaced) {
        (Ok(()), _) => {
            let wrapped = add_later_secrets(db, sealer, wrapped)?;
            SubKeySet::open(sealer, &wrapped).map_err(StartError::WrongKey)
        }
        (
            Err(SealError::WrongKey { .. }),
            Some(Rotation { old_id, new_id, finished_at: Some(at), .. }),
        ) => Err(StartError::KeyReplaced { old_id, new_id, on: at.date() }),
        (Err(error), _) => Err(StartError::WrongKey(error)),
    }
}

fn lock_folder(config: &StoreConfig) -> Result<std::fs::File, StartError> {
    let path = config.data_dir.join(".starting");
    let locked = std::fs::create_dir_all(&config.data_dir)
        .and_then(|()| std::fs::File::create(&path))
        .and_then(|file| file.lock().map(|()| file));
    locked.map_err(|error| StartError::Key(format!("cannot write to {}: {error}", path.display())))
}

/// Makes the secrets of a new instance. Where another server on the same database was faster, its secrets count.
fn make_secrets(
    db: &Db,
    sealer: &Sealer,
    list: impl Fn() -> Result<Vec<WrappedSubKey>, StartError>,
) -> Result<SubKeySet, StartError> {
    let (keys, wrapped) = SubKeySet::generate(sealer).map_err(StartError::WrongKey)?;
    let stored = db.write_here(move |tx| Ok(sealed::insert_instance_keys(tx.conn, &wrapped)?));
    match stored {
        Ok(()) => Ok(keys),
        Err(error) => {
            let of_other = list()?;
            if of_other.is_empty() {
                return Err(StartError::Secrets(error));
            }
            SubKeySet::open(sealer, &of_other).map_err(StartError::WrongKey)
        }
    }
}

/// Makes the secrets that an earlier version did not know. Where another server was faster, its secrets count.
fn add_later_secrets(
    db: &Db,
    sealer: &Sealer,
    wrapped: Vec<WrappedSubKey>,
) -> Result<Vec<WrappedSubKey>, StartError> {
    let later = SubKeySet::generate_later(sealer, &wrapped).map_err(StartError::WrongKey)?;
    if later.is_empty() {
        return Ok(wrapped);
    }
    let stored = db.write_here(move |tx| Ok(sealed::insert_instance_keys(tx.conn, &later)?));
    let now = db.read_here(|conn| Ok(sealed::list_instance_keys(conn)?));
    let now = now.map_err(StartError::Secrets)?;
    match stored {
        Err(error) if now.len() == wrapped.len() => Err(StartError::Secrets(error)),
        Ok(()) | Err(_) => Ok(now),
    }
}

/// Has the audit log kept with the instance's key, and chains what an earlier version left unchained.
fn keep_audit(db: &Db, keys: &SubKeySet, clock: &Clock) -> Result<Verifier, StartError> {
    let (seed, instance) = keys.audit_head();
    let signer = Signer::new(&seed, instance);
    let verifier = signer.verifier();
    db.keep_audit(Keeper::new(signer, clock.clone()));
    adopt(db).map_err(StartError::Audit)?;
    Ok(verifier)
}

/// Returns the key from the first place that has one: file, environment, credential, data folder. On a new database
/// without any, makes one in the data folder.
fn find_key(
    config: &StoreConfig,
    is_new: bool,
    announce: &mut dyn FnMut(&str),
) -> Result<(InstanceKey, KeyPlace), StartError> {
    if let Some(path) = &config.key_file {
        return read_key(path, announce).map(|key| (key, KeyPlace::File(path.clone())));
    }
    if let Some(text) = &config.key_text {
        let key = InstanceKey::from_text(text)
            .map_err(|error| StartError::Key(format!("SENTINELLE_KEY: {error}")))?;
        return Ok((key, KeyPlace::Environment));
    }
    let credential = config.credentials_dir.as_ref().map(|folder| folder.join("sentinelle.key"));
    if let Some(path) = credential.filter(|path| path.exists()) {
        return read_key(&path, announce).map(|key| (key, KeyPlace::Credential(path)));
    }
    let path = config.data_dir.join("instance.key");
    if path.exists() {
        return read_key(&path, announce).map(|key| (key, KeyPlace::BesideData(path)));
    }
    if !is_new {
        return Err(StartError::KeyLost(path));
    }
    make_key(&path, announce).map(|key| (key, KeyPlace::BesideData(path)))
}

fn read_key(
    path: &std::path::Path,
    announce: &mut dyn FnMut(&str),
) -> Result<InstanceKey, StartError> {
    let file = InstanceKey::read_file(path).map_err(|error| StartError::Key(error.to_string()))?;
    let warning = match file.mode {
        KeyFileMode::Private => None,
        KeyFileMode::TooOpen { .. } => file.mode.warning(path),
    };
    if let Some(warning) = warning {
        announce(&warning);
    }
    Ok(file.key)
}

fn make_key(
    path: &std::path::Path,
    announce: &mut dyn FnMut(&str),
) -> Result<InstanceKey, StartError> {
    let failed = |error: &dyn std::fmt::Display| StartError::Key(error.to_string());
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|error| failed(&error))?;
    }
    let key = InstanceKey::generate().map_err(|error| failed(&error))?;
    key.create_file(path).map_err(|error| failed(&error))?;
    announce(&format!(
        "A new instance key was made: {}\n\
         It lies beside the data: whoever takes this disk can open every report. Move it elsewhere and give --key-file.\n\
         Whoever loses it loses every report for ever, in backups too: write this recovery text down and keep it apart, or \
         print it as a page with `sentinelle keys recovery`:\n\n    {}\n",
        path.display(),
        key.recovery_text().as_str()
    ));
    Ok(key)
}

fn reference(geo: &Geo, regions: &[Region], taxonomy: &Taxonomy, lists: &CodeLists) -> Reference {
    let codes =
        |name: ListName| lists.list(name).codes().iter().map(|code| code.code.clone()).collect();
    let countries = geo.countries().iter().map(|country| CountryReference {
        alpha3: country.code.as_str().to_owned(),
        alpha2: country.alpha2.clone(),
        is_member: country.is_member,
        regions: regions
            .iter()
            .filter(|region| region.countries.contains(&country.code))
            .map(|region| region.code.clone())
            .collect(),
    });
    let areas = |all: &Areas| {
        let each = geo.countries().iter().flat_map(|country| all.in_country(country.code));
        each.map(|area| (area.id.as_str().to_owned(), area.country.as_str().to_owned())).collect()
    };
    let flags = Flag::ALL.iter().map(|flag| flag.as_str()).chain([
        UNCATEGORISED,
        CLOCK_IMPLAUSIBLE,
        REVISED_AFTER_DECISION,
        REPORT_WITHDRAWN,
        ANSWERED,
    ]);
    Reference {
        countries: countries.collect(),
        regions: region_codes(geo, regions, RegionLevel::Regional),
        wider_regions: region_codes(geo, regions, RegionLevel::International),
        admin1: areas(geo.areas()),
        admin2: areas(geo.admin2()),
        sites: geo
            .sites()
            .iter()
            .map(|site| (site.id.as_str().to_owned(), site.country.as_str().to_owned()))
            .collect(),
        categories: taxonomy
            .leaves()
            .iter()
            .map(|leaf| CategoryReference {
                code: leaf.code.as_str().to_owned(),
                valence: leaf.valence.as_str().to_owned(),
            })
            .collect(),
        default_severities: taxonomy
            .leaves()
            .iter()
            .filter_map(|leaf| Some((leaf.code.as_str().to_owned(), leaf.default_severity?)))
            .collect(),
        channels: Channel::CODES.map(str::to_owned).to_vec(),
        mining_modes: codes(ListName::MiningMode),
        actor_types: codes(ListName::ActorType),
        flags: flags.map(str::to_owned).collect(),
        site_distance_bands: SiteDistance::ALL
            .iter()
            .map(|band| band.as_str().to_owned())
            .collect(),
        geo_precisions: Precision::ALL
            .iter()
            .map(|precision| precision.as_str().to_owned())
            .collect(),
    }
}

/// Returns the codes of the regions of a level, in the order of their first country in the table of countries.
fn region_codes(geo: &Geo, regions: &[Region], level: RegionLevel) -> Vec<String> {
    let place = |region: &&Region| {
        geo.countries().iter().position(|country| region.countries.contains(&country.code))
    };
    let mut found: Vec<&Region> = regions.iter().filter(|region| region.level == level).collect();
    found.sort_by_key(|region| (place(region).unwrap_or(usize::MAX), region.code.clone()));
    found.into_iter().map(|region| region.code.clone()).collect()
}
