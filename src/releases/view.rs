//! How coordinators see releases: with what was folded and why, and who did what.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::ids::{ReleaseId, UserId};
use crate::releases::partition::Folding;
use crate::releases::period::Month;
use crate::releases::types::{LeftOut, Release, ReleasedAtom};

/// What a figure needs to be told.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[schema(as = ReleaseRule)]
pub struct RuleView {
    /// Fewest incidents; and how much a figure changes at least from one release to any other.
    #[schema(example = 5)]
    k: u32,
    /// Fewest independent senders.
    #[schema(example = 3)]
    monitors: usize,
}

impl RuleView {
    /// Returns the rule of a release.
    pub fn of(release: &Release) -> Self {
        Self { k: release.rule.k, monitors: release.rule.senders }
    }
}

/// A release, for coordinators.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Release)]
pub struct ReleaseView {
    /// Its id.
    #[schema(value_type = uuid::Uuid)]
    id: ReleaseId,
    /// `draft`, `published` or `withdrawn`.
    #[schema(example = "draft")]
    state: &'static str,
    /// 1 for the first that was published; null for drafts.
    version: Option<i32>,
    /// The first month.
    #[schema(example = "2023-01")]
    from: String,
    /// The last month.
    #[schema(example = "2024-03")]
    until: String,
    /// The rule of its figures.
    rule: RuleView,
    /// Who built it.
    #[schema(value_type = uuid::Uuid)]
    built_by: UserId,
    /// When.
    built_at: DateTime<Utc>,
    /// Who approved it.
    #[schema(value_type = Option<uuid::Uuid>)]
    approved_by: Option<UserId>,
    /// When it was published.
    approved_at: Option<DateTime<Utc>>,
    /// How many figures it has.
    n_atoms: i32,
    /// SHA-256 of the file of its figures.
    sha256: String,
    /// Incidents it does not count, by reason.
    left_out: LeftOut,
    /// What is no longer shown of it.
    withdrawals: Vec<WithdrawalView>,
    /// Months of it that were withdrawn from another release. Of one that was public before: it shows them no longer either. Of
    /// a draft: it would tell them again.
    withdrawn_elsewhere: Vec<MonthsView>,
}

/// Months.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = PublicMonths)]
pub struct MonthsView {
    /// The first.
    from: String,
    /// The last.
    until: String,
}

impl MonthsView {
    /// Returns the view of months from the first to the last.
    pub fn of((from, until): (Month, Month)) -> Self {
        Self { from: from.to_string(), until: until.to_string() }
    }
}

/// What is no longer shown of a release.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ReleaseWithdrawal)]
pub struct WithdrawalView {
    /// The first of the months; null: all of it.
    from: Option<String>,
    /// The last of the months; null: all of it.
    until: Option<String>,
    /// Who withdrew it.
    #[schema(value_type = uuid::Uuid)]
    withdrawn_by: UserId,
    /// When.
    withdrawn_at: DateTime<Utc>,
    /// Why; where the release is read alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

impl ReleaseView {
    /// Returns the view of a release, with the reasons of its withdrawals where they were opened.
    pub fn of(release: &Release, reasons: Vec<String>) -> Self {
        let mut reasons = reasons.into_iter();
        let withdrawals = release.withdrawals.iter().map(|withdrawal| WithdrawalView {
            from: withdrawal.months.map(|(first, _)| first.to_string()),
            until: withdrawal.months.map(|(_, last)| last.to_string()),
            withdrawn_by: withdrawal.by,
            withdrawn_at: withdrawal.at,
            reason: reasons.next(),
        });
        Self {
            id: release.id,
            state: release.state().as_str(),
            version: release.approval.map(|approval| approval.version),
            from: release.first.to_string(),
            until: release.last.to_string(),
            rule: RuleView::of(release),
            built_by: release.built_by,
            built_at: release.built_at,
            approved_by: release.approval.map(|approval| approval.by),
            approved_at: release.approval.map(|approval| approval.at),
            n_atoms: release.n_atoms,
            sha256: release.sha256.clone(),
            left_out: release.left_out,
            withdrawals: withdrawals.collect(),
            withdrawn_elsewhere: release
                .withdrawn_elsewhere
                .iter()
                .copied()
                .map(MonthsView::of)
                .collect(),
        }
    }
}

/// Incidents that are told as one figure.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ReleaseAtom)]
pub struct AtomView {
    /// Alpha-3 code.
    #[schema(example = "LSO")]
    country: String,
    /// First-level areas, `none` for what is in no known one; `*` for all of the country.
    #[schema(example = json!(["*"]))]
    admin1: Vec<String>,
    /// Months, quarters, years; `2024-XX` and `2024-Q1-XX` for what is known no better.
    #[schema(example = json!(["2024-03"]))]
    times: Vec<String>,
    /// Categories, themes; `*` for all.
    #[schema(example = json!(["environment", "rights"]))]
    categories: Vec<String>,
    /// The figure; null where it may not be told.
    incidents: Option<u32>,
}

impl AtomView {
    /// Returns the view of an atom.
    pub fn of(atom: &ReleasedAtom) -> Self {
        Self {
            country: atom.country.clone(),
            admin1: atom.places.clone(),
            times: atom.times.clone(),
            categories: atom.categories.clone(),
            incidents: atom.incidents,
        }
    }
}

/// Why a figure is no finer along each axis: `few_incidents`, `few_senders`, or null where it is as fine as can be.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ReleaseFolding)]
pub struct FoldingView {
    /// Of areas.
    admin1: Option<&'static str>,
    /// Of months.
    times: Option<&'static str>,
    /// Of categories.
    categories: Option<&'static str>,
}

/// A figure as coordinators see it before it is published.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ReleasePreviewAtom)]
pub struct PreviewAtomView {
    /// What everybody will see.
    #[serde(flatten)]
    atom: AtomView,
    /// Whether it is the figure of the release before, because the new one differs by too little.
    kept: bool,
    /// What was folded, and why.
    folded: FoldingView,
}

impl PreviewAtomView {
    fn of(atom: &ReleasedAtom) -> Self {
        let [admin1, times, categories] = atom.folded.map(|why| why.map(Folding::as_str));
        let folded = FoldingView { admin1, times, categories };
        Self { atom: AtomView::of(atom), kept: atom.is_kept, folded }
    }
}

/// How much of what is counted is told how.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ReleaseShares)]
pub struct SharesView {
    /// Incidents in all figures together.
    incidents: u64,
    /// Of them, in figures of one area, one month and one category.
    full_detail: u64,
    /// Figures that are withheld.
    withheld: usize,
    /// Figures that are those of the release before.
    kept: usize,
}

impl SharesView {
    /// Returns them in words for whoever runs the server.
    pub fn for_people(&self) -> String {
        let Self { incidents, full_detail, withheld, kept } = self;
        format!(
            "{incidents} incidents, {full_detail} of them at full detail; {withheld} figures withheld, {kept} kept as \
             they were"
        )
    }

    /// Returns the shares of these atoms.
    pub fn of(atoms: &[ReleasedAtom]) -> Self {
        let sum = |atoms: &mut dyn Iterator<Item = &ReleasedAtom>| {
            atoms.filter_map(|atom| atom.incidents).map(u64::from).sum()
        };
        Self {
            incidents: sum(&mut atoms.iter()),
            full_detail: sum(&mut atoms.iter().filter(|atom| atom.is_finest())),
            withheld: atoms.iter().filter(|atom| atom.incidents.is_none()).count(),
            kept: atoms.iter().filter(|atom| atom.is_kept).count(),
        }
    }
}

/// A release as coordinators see it before it is published.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReleasePreview {
    /// The release.
    #[serde(flatten)]
    release: ReleaseView,
    /// How much of it is told how.
    shares: SharesView,
    /// Every figure.
    atoms: Vec<PreviewAtomView>,
}

impl ReleasePreview {
    /// Returns the preview of a release.
    pub fn of(release: &Release, reasons: Vec<String>, atoms: &[ReleasedAtom]) -> Self {
        Self {
            release: ReleaseView::of(release, reasons),
            shares: SharesView::of(atoms),
            atoms: atoms.iter().map(PreviewAtomView::of).collect(),
        }
    }
}

/// A page of releases.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReleasePage {
    /// Drafts too, the newest first.
    pub items: Vec<ReleaseView>,
    /// Cursor of the next page; absent on the last.
    pub next: Option<String>,
    /// How many there are.
    pub total: i64,
}
