//! The paper form of the instance key: one page that says what it is, for whoever finds it in ten years.

use std::fmt::Write;

use chrono::NaiveDate;
use zeroize::Zeroizing;

use crate::seal::key::InstanceKey;

/// Groups below each other.
const ROWS: usize = 4;

const WORDS_EN: &str = "\
ENGLISH
What this is. The twelve groups are the one key that opens the reports of a
  Sentinelle instance. Whoever has them and the database reads everything.
What is lost without it. Every narrative, name, contact and exact place, in
  the database and in all its backups, for ever. Nobody can make it anew.
How to check. Let somebody else read the groups aloud; tick each.
How to use it. Run `sentinelle keys restore --to FILE`, type the groups, end
  with Ctrl-D. Capitals, spaces and hyphens do not matter; I and L count as
  1, O as 0. A mistyped group is named. Then start with `--key-file FILE`.
Where to keep it. On paper, with two people, in two places, under lock, apart
  from the server and from its backups. Never in a photo, mail or chat.
When it is over. After `sentinelle keys rotate` print the new one. Destroy
  this page with the last backup made under this key: that needs it still.";

const WORDS_FR: &str = "\
FRANÇAIS
Ce que c'est. Les douze groupes sont la seule clé qui ouvre les rapports d'une
  instance Sentinelle. Qui les a, avec la base de données, lit tout.
Ce qu'on perd sans elle. Tous les récits, noms, contacts et lieux exacts, dans
  la base et toutes ses sauvegardes, pour toujours. Nul ne peut la refaire.
Comment vérifier. Faites lire les groupes à voix haute par un autre ; cochez.
Comment s'en servir. Lancez `sentinelle keys restore --to FICHIER`, tapez les
  groupes, finissez par Ctrl-D. Majuscules, espaces et tirets sont sans effet ;
  I et L valent 1, O vaut 0. Un groupe mal tapé est désigné. Démarrez ensuite
  avec `--key-file FICHIER`.
Où la garder. Sur papier, chez deux personnes, en deux lieux, sous clé, loin du
  serveur et de ses sauvegardes. Jamais en photo, courriel ou messagerie.
Quand c'est fini. Après `sentinelle keys rotate`, imprimez la nouvelle. Les
  sauvegardes faites sous cette clé la demandent : détruisez-la avec elles.";

/// Returns the form for `key`, printed on the day `on`: plain text that fits one A4 page.
pub fn recovery_form(key: &InstanceKey, on: NaiveDate) -> Zeroizing<String> {
    let rule = "=".repeat(78);
    let mut form = Zeroizing::new(String::with_capacity(8_192));
    let head = format!(
        "SENTINELLE - RECOVERY OF THE INSTANCE KEY / RÉCUPÉRATION DE LA CLÉ D'INSTANCE\n\
         Key / Clé: {}     Printed / Imprimé: {on}\n\
         CONFIDENTIAL / CONFIDENTIEL\n{rule}\n\n",
        key.id()
    );
    form.push_str(&head);
    let text = key.recovery_text();
    let groups: Vec<&str> = text.split('-').collect();
    for row in 0..ROWS {
        for (nth, group) in groups.iter().enumerate().skip(row).step_by(ROWS) {
            // Writing to a string cannot fail.
            let _ = write!(form, "   {:2}  {group}  [ ] [ ]", nth + 1);
        }
        form.push_str("\n\n");
    }
    form.push_str(&rule);
    form.push('\n');
    for words in [WORDS_EN, WORDS_FR] {
        form.push_str(words);
        form.push_str("\n\n");
    }
    form.push_str(
        "Kept by / Chez: ____________________  Place / Lieu: _________________________\n\
         Checked by / Vérifié par: ______________________  on / le: ___________________\n",
    );
    form
}

#[cfg(test)]
mod tests {
    use crate::keys::paper::recovery_form;
    use crate::seal::key::InstanceKey;

    #[test]
    fn the_form_fits_a_page_and_what_is_typed_from_it_gives_the_key_back() {
        let key = InstanceKey::generate().unwrap();

        let form = recovery_form(&key, "2024-04-01".parse().unwrap());

        // 60 lines of 80 letters in 10 point type with margins of 2 cm.
        assert!(form.lines().count() <= 60, "{} lines", form.lines().count());
        assert!(form.lines().all(|line| line.chars().count() <= 80), "{}", *form);
        assert!(form.contains(key.id()) && form.contains("2024-04-01"));
        let typed = (1..=12).map(|nth| {
            let (_, rest) = form.split_once(&format!("   {nth:2}  ")).unwrap();
            rest[..5].to_owned()
        });
        let typed: Vec<String> = typed.collect();
        assert_eq!(InstanceKey::from_text(&typed.join("\n")).unwrap().id(), key.id());
    }
}
