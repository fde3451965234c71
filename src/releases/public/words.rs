//! What is said with every public figure: how it was made, and what it is not.

use crate::error::Language;
use crate::releases::types::Release;

/// Returns the note on method.
pub fn method_note(release: &Release, language: Language) -> String {
    let (k, senders) = (release.rule.k, release.rule.senders);
    match language {
        Language::English => format!(
            "Verified incidents reported to the coalition, each once, under its main category: reports received, not \
             events that happened; no census and no rate. Incidents whose source agreed to internal use alone are left \
             out. A figure is nothing, or at least {k} incidents from at least {senders} independent monitors. What is \
             less is told together with others: first categories, then months, then areas are folded; of a country with \
             less than that in a year no figure is given. null means told coarser or not at all, never nothing. The \
             partition of a month stays as it was first released. From one release to any other a figure changes by \
             nothing or by at least {k}; where it would change by less, or to what may not be told, it stays as it was or is \
             told no longer."
        ),
        Language::French => format!(
            "Incidents vérifiés signalés à la coalition, chacun une fois, sous sa catégorie principale : des signalements \
             reçus, non des faits survenus ; ni recensement ni taux. Les incidents dont une source n'a consenti qu'à un \
             usage interne n'y sont pas. Un chiffre est nul, ou d'au moins {k} incidents venant d'au moins {senders} \
             observateurs indépendants. Ce qui est moindre est donné avec d'autres : on regroupe d'abord les catégories, \
             puis les mois, puis les entités ; d'un pays qui a moins que cela en un an, aucun chiffre n'est donné. null \
             signifie donné plus largement ou pas du tout, jamais nul. Le découpage d'un mois reste celui de sa première \
             publication. D'une publication à toute autre, un chiffre change de rien ou d'au moins {k} ; s'il devait \
             changer de moins, ou devenir ce qui ne peut être donné, il reste tel qu'il était ou n'est plus donné."
        ),
    }
}
