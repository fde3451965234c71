//! What a brief says: its parts, in order, in the language of the reader.

use chrono::NaiveDate;

use crate::aggregates::query::By;
use crate::brief::blocks::{Block, Document, Row, Table, Tile};
use crate::brief::pages::TEXT_WIDTH;
use crate::brief::pictures::{Picture, Scene};
use crate::incidents::facts::{Measure, Status};
use crate::taxonomy::catalogue::Theme;
use crate::taxonomy::lists::{CodeLists, ListName};

/// States in which nobody has decided yet.
const PENDING: [Status; 3] = [Status::Received, Status::InReview, Status::NeedsInformation];

/// Composes the brief of a scene as it was on a day.
pub fn compose(scene: &Scene<'_>, lists: &CodeLists, made_on: NaiveDate) -> Document {
    let say = |en: &str, fr: &str| scene.say(en, fr);
    let picture = |picture| Block::Picture(scene.draw(picture, TEXT_WIDTH));
    let mut blocks = vec![
        Block::Tiles(tiles(scene)),
        Block::Paragraph(summary(scene)),
        picture(Picture::Months),
        picture(Picture::Themes),
        picture(Picture::Practice),
        Block::Heading(say("Where it happened", "Où cela s’est passé")),
        picture(Picture::Map),
        Block::Paragraph(places_note(scene)),
        picture(Picture::Areas),
        Block::Heading(say("What it was about", "De quoi il s’agissait")),
        Block::Table(categories(scene)),
        Block::Heading(say("People harmed", "Personnes touchées")),
        Block::Table(harm(scene, lists)),
        Block::Heading(say("How to read these figures", "Comment lire ces chiffres")),
        Block::Notes(notes(scene)),
    ];
    blocks.retain(|block| !matches!(block, Block::Table(table) if table.rows.is_empty()));
    let made = scene.words.language.day(made_on);
    let as_of = scene.facts.view.as_of;
    let foot = [
        scene.words.country_name(),
        scene.period(),
        scene.say(&format!("made on {made}"), &format!("établi le {made}")),
        scene.say(&format!("change {as_of}"), &format!("modification {as_of}")),
    ];
    Document {
        language: scene.words.language.tag(),
        kind: say(
            "Country brief · monitoring of diamond mining",
            "Note pays · suivi de l’extraction du diamant",
        ),
        title: scene.words.country_name(),
        subtitle: scene.period(),
        file_name: format!(
            "brief-{}-{}-{}",
            scene.words.country.code.as_str(),
            scene.facts.from,
            scene.facts.to
        ),
        mark: say("INTERNAL: NOT FOR PUBLICATION", "INTERNE : NE PAS PUBLIER"),
        foot: foot.join(" · "),
        blocks,
    }
}

fn tiles(scene: &Scene<'_>) -> Vec<Tile> {
    let (total, language) = (scene.facts.view.total, scene.words.language);
    let tile = |figure: String, label: String, beside: String| Tile { figure, label, beside };
    let stated = total.harm.killed.map_or(0, |killed| killed.stated);
    let reports =
        format!("{} {}", language.number(total.reports), scene.say("reports", "rapports"));
    vec![
        tile(
            language.number(total.incidents),
            scene.say("Verified incidents", "Incidents vérifiés"),
            change_in_short(scene).unwrap_or(reports),
        ),
        tile(
            language.range(total.harm.killed),
            scene.say("People killed", "Personnes tuées"),
            match stated {
                0 => {
                    scene.say("no incident states a number", "aucun incident n’en donne le nombre")
                }
                1 => scene.say("stated by 1 incident", "d’après 1 incident"),
                n => format!(
                    "{} {} incidents",
                    scene.say("stated by", "d’après"),
                    language.number(n)
                ),
            },
        ),
        tile(
            language.number(scene.facts.n_good),
            scene.say("Good practice", "Bonnes pratiques"),
            format!(
                "{} {}",
                scene.say("of", "sur"),
                scene.words.language.counted(total.incidents, ["incident", "incidents"])
            ),
        ),
        tile(
            language.number(pending(scene)),
            scene.say("Still under review", "Encore à l’étude"),
            scene.say("not counted here", "non comptés ici"),
        ),
    ]
}

fn change_in_short(scene: &Scene<'_>) -> Option<String> {
    let change = scene.facts.view.change.as_ref()?;
    let percent =
        change.percent.map(|percent| format!(" ({})", scene.words.language.percent(percent)));
    let before = scene.words.language.number(change.previous.incidents);
    Some(format!("{} {before}{}", scene.say("before:", "avant :"), percent.unwrap_or_default()))
}

fn summary(scene: &Scene<'_>) -> String {
    let (view, language) = (&scene.facts.view, scene.words.language);
    let (n, reports) = (view.total.incidents, view.total.reports);
    let counted_en = format!(
        "The coalition verified {} in {} for {}, from {}.",
        scene.words.language.counted(n, ["incident", "incidents"]),
        scene.words.country_name(),
        scene.period(),
        scene.words.language.counted(reports, ["report", "reports"]),
    );
    let counted_fr = format!(
        "La coalition a vérifié {} pour le pays ({}) et la période ({}), d’après {}.",
        scene.words.language.counted(n, ["incident", "incidents"]),
        scene.words.country_name(),
        scene.period(),
        scene.words.language.counted(reports, ["rapport", "rapports"]),
    );
    let mut words = scene.say(&counted_en, &counted_fr);
    if let Some(change) = &view.change {
        let before = language.number(change.previous.incidents);
        let period = language.period(change.from, change.to);
        words.push(' ');
        words.push_str(&scene.say(
            &format!("In the period of equal length before, {period}, it was {before}."),
            &format!(
                "Durant la période de même durée d’avant, {period}, le nombre était de {before}."
            ),
        ));
    }
    words.push(' ');
    words.push_str(&scene.say(
        "These are reports received and checked, not all events that happened.",
        "Ce sont les rapports reçus et vérifiés, non tous les faits qui se sont produits.",
    ));
    words
}

fn places_note(scene: &Scene<'_>) -> String {
    let unmapped = scene.words.language.number(scene.facts.view.reconciliation.unmapped);
    let source = scene.words.geo.areas().source(Some(scene.words.country.code));
    scene.say(
        &format!(
            "Circles stand at the centre of hexagons of about 250 km², not where anything happened. Without a place \
             on the map: {unmapped}. Outlines: {source}; they say nothing about the status of any territory."
        ),
        &format!(
            "Les cercles sont au centre d’hexagones d’environ 250 km², non là où les faits se sont produits. Sans lieu \
             sur la carte : {unmapped}. Tracés : {source} ; ils ne disent rien du statut d’un territoire."
        ),
    )
}

fn categories(scene: &Scene<'_>) -> Table {
    let number = |n| scene.words.language.number(n);
    let mut rows = Vec::new();
    for theme in scene.words.taxonomy.themes() {
        rows.extend(theme_rows(scene, &theme));
    }
    let total = scene.facts.view.total.incidents;
    if !rows.is_empty() {
        let cells = vec![
            scene.say("All incidents, each once", "Tous les incidents, chacun une fois"),
            String::new(),
            String::new(),
            number(total),
        ];
        rows.push(Row { cells, is_strong: true });
    }
    Table {
        caption: scene.say("Incidents by category", "Incidents par catégorie"),
        head: vec![
            scene.say("Category", "Catégorie"),
            scene.say("Negative", "Négatif"),
            scene.say("Good practice", "Bonnes pratiques"),
            "Incidents".to_owned(),
        ],
        rows,
    }
}

fn theme_rows(scene: &Scene<'_>, theme: &Theme<'_>) -> Vec<Row> {
    let number = |n| scene.words.language.number(n);
    let row = |label: String, [bad, good, n]: [u64; 3], is_strong| Row {
        cells: vec![label, number(bad), number(good), number(n)],
        is_strong,
    };
    let sums = scene.facts.themes.iter().find(|split| split.code == theme.code && split.n > 0);
    let Some(sums) = sums else { return Vec::new() };
    let head = row(scene.words.label(theme.label), [sums.n_bad, sums.n_good, sums.n], true);
    let within = scene
        .facts
        .categories
        .iter()
        .filter(|category| theme.categories.iter().any(|known| known.code == category.code));
    let within = within.map(|category| {
        let counts = [category.n_bad, category.n_good, category.n];
        row(format!("\u{a0}\u{a0}{}", scene.words.category(&category.code)), counts, false)
    });
    std::iter::once(head).chain(within).collect()
}

fn harm(scene: &Scene<'_>, lists: &CodeLists) -> Table {
    let codes = lists.list(ListName::AffectedCount);
    let label = |measure: Measure| {
        let code = codes.find(measure.as_str());
        code.map_or_else(|| measure.as_str().to_owned(), |code| scene.words.label(&code.label))
    };
    let figures = scene.facts.view.total.harm.list();
    let stated = Measure::ALL.into_iter().zip(figures);
    let rows = stated.filter_map(|(measure, harm)| {
        let n = scene.words.language.number(harm?.stated);
        Some(Row {
            cells: vec![label(measure), scene.words.language.range(harm), n],
            is_strong: false,
        })
    });
    Table {
        caption: scene.say(
            "People harmed, as far as incidents state it",
            "Personnes touchées, dans la mesure où les incidents l’indiquent",
        ),
        head: vec![
            scene.say("Harm", "Atteinte"),
            scene.say("People (least–most)", "Personnes (minimum–maximum)"),
            scene.say("Incidents that state it", "Incidents qui l’indiquent"),
        ],
        rows: rows.collect(),
    }
}

fn notes(scene: &Scene<'_>) -> Vec<(String, String)> {
    let number = |n: u64| scene.words.language.number(n);
    let reconciliation = &scene.facts.view.reconciliation;
    let note = |subject: [&str; 2], words: [&str; 2]| {
        (scene.say(subject[0], subject[1]), scene.say(words[0], words[1]))
    };
    let (pending, straddling, timeless) =
        (number(pending(scene)), number(reconciliation.straddling), number(scene.facts.n_timeless));
    let undated = number(reconciliation.undated);
    vec![
        note(
            ["Reports, not events.", "Des rapports, non des faits."],
            [
                "The coalition counts what monitors could see, dared to tell and were able to send. Where few report, little is counted: a low number is no proof of calm, and areas must not be ranked by it.",
                "La coalition compte ce que ses observateurs ont pu voir, ont osé dire et ont pu transmettre. Là où peu signalent, peu est compté : un chiffre bas ne prouve pas le calme et ne permet pas de classer les entités.",
            ],
        ),
        note(
            ["One event, one incident.", "Un fait, un incident."],
            [
                &format!(
                    "Several reports of one event are one incident. Only verified incidents are counted; {pending} of this period are still under review."
                ),
                &format!(
                    "Plusieurs rapports d’un même fait forment un incident. Seuls les incidents vérifiés sont comptés ; {pending} de cette période sont encore à l’étude."
                ),
            ],
        ),
        note(
            ["Categories overlap.", "Les catégories se recoupent."],
            [
                "An incident with several categories counts in each of them and once in the total, so that the rows of a table can add up to more than its last line.",
                "Un incident de plusieurs catégories compte dans chacune et une fois dans le total ; les lignes d’un tableau peuvent donc dépasser sa dernière ligne.",
            ],
        ),
        note(
            ["Dates.", "Dates."],
            [
                &format!(
                    "Days are local days at the place. Dates too coarse for the chart by month: {timeless}. Not counted because they reach over the edge of the period: {straddling}; because no date is known: {undated}."
                ),
                &format!(
                    "Les jours sont ceux du lieu. Dates trop vagues pour le graphique par mois : {timeless}. Non comptés car à cheval sur les bornes de la période : {straddling} ; faute de date connue : {undated}."
                ),
            ],
        ),
        note(
            ["People harmed.", "Personnes touchées."],
            [
                "Numbers are the sums of the least and of the most that the reports of each incident state. What no report states is unknown, which is not zero.",
                "Les nombres sont les sommes du minimum et du maximum que donnent les rapports de chaque incident. Ce qu’aucun rapport n’indique est inconnu, ce qui n’est pas zéro.",
            ],
        ),
        note(
            ["Use.", "Usage."],
            [
                "Exact small numbers can point to a person. For publication take the brief of a release (for=publication), in which no figure stands for fewer than five incidents.",
                "De petits nombres exacts peuvent désigner une personne. Pour publier, utilisez la note d’une diffusion (for=publication), où aucun chiffre ne représente moins de cinq incidents.",
            ],
        ),
    ]
}

fn pending(scene: &Scene<'_>) -> u64 {
    let is_pending = |status: &str| PENDING.iter().any(|pending| pending.as_str() == status);
    let cells = scene.facts.view.status.iter();
    let cells = cells.filter(|cell| cell.keys.get(By::Status).is_some_and(is_pending));
    cells.map(|cell| cell.figures.incidents).sum()
}
