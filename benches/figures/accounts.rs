//! Accounts of invented events with what is true of them: which two tell of one event and which do not. Written before the
//! scorer was tuned, and sharing no code and no word list with it.
//!
//! A witness remembers a part of it, counts wrong now and then, is a day off, stands some hundred metres away, forgets to
//! name a category. Two events at one mine differ in what happened beside it, as they do in life, and not in the kind of
//! place, people or words.

use chrono::{Days, NaiveDate};
use serde_json::{Value, json};
use uuid::Uuid;

/// How two accounts of a pair belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// One event, told by two people in one language.
    ToldTwice,
    /// One event, told in English and in French.
    OtherLanguage,
    /// Two events of one kind at one mine, on one day to ten days apart.
    SameMine,
    /// Two events of one kind on one day, at mines some kilometres apart.
    NearPlace,
    /// Two events of two kinds at one mine on one day.
    OtherCategory,
}

impl Kind {
    pub(crate) const ALL: [Self; 5] = [
        Self::ToldTwice,
        Self::OtherLanguage,
        Self::SameMine,
        Self::NearPlace,
        Self::OtherCategory,
    ];

    pub(crate) fn is_one_event(self) -> bool {
        matches!(self, Self::ToldTwice | Self::OtherLanguage)
    }

    /// How many pairs of it there are.
    fn count(self) -> usize {
        match self {
            Self::ToldTwice => 300,
            Self::OtherLanguage => 160,
            Self::SameMine => 180,
            Self::NearPlace | Self::OtherCategory => 80,
        }
    }
}

/// One account.
pub(crate) struct Account {
    /// Which event it tells of.
    pub(crate) event: usize,
    /// What is submitted.
    pub(crate) body: Value,
}

/// The accounts, two and two, and the kind of each pair.
pub(crate) struct Set {
    pub(crate) accounts: Vec<Account>,
    pub(crate) pairs: Vec<Kind>,
}

/// Numbers that are the same in every run: `SplitMix64` (Steele, Lea, Flood 2014).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.next() % n as u64).expect("a small number")
    }

    /// As `below`, for lengths and angles.
    fn share(&mut self, n: u32) -> f64 {
        let drawn = self.below(usize::try_from(n).expect("a small number"));
        f64::from(u32::try_from(drawn).expect("below a small number"))
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    fn of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }
}

/// A mine: country, name of the town, latitude and longitude.
const MINES: [(&str, &str, f64, f64); 16] = [
    ("SLE", "Koidu", 8.60, -11.05),
    ("SLE", "Tongo", 8.10, -11.30),
    ("SLE", "Boajibu", 8.05, -11.45),
    ("COD", "Mbuji-Mayi", -6.10, 23.60),
    ("COD", "Tshikapa", -6.30, 20.90),
    ("COD", "Luebo", -5.40, 21.50),
    ("ZWE", "Marange", -19.60, 32.20),
    ("CIV", "Séguéla", 7.95, -6.66),
    ("CIV", "Tortiya", 8.75, -5.68),
    ("GIN", "Kérouané", 9.30, -9.10),
    ("GIN", "Banankoro", 9.20, -9.40),
    ("CAF", "Carnot", 4.95, 15.95),
    ("CAF", "Berbérati", 4.35, 15.90),
    ("CAF", "Bria", 6.50, 21.95),
    ("BWA", "Letlhakane", -21.40, 25.60),
    ("LSO", "Mokhotlong", -29.30, 29.00),
];

/// Texts in English and in French.
type Both<T> = [T; 2];

/// A kind of event: the leaf, one that is easily taken for it, what is counted, and how it is begun in each language; `{n}`
/// is how many, `{at}` where.
struct Scenario {
    leaf: &'static str,
    mistaken: &'static str,
    measure: Option<&'static str>,
    openings: Both<[&'static str; 4]>,
}

const SCENARIOS: [Scenario; 10] = [
    Scenario {
        leaf: "rights.life_integrity.killing",
        mistaken: "rights.life_integrity.assault_injury",
        measure: Some("killed"),
        openings: [
            [
                "{n} diggers were shot dead by security guards of the mine at {at}.",
                "Mine guards opened fire on young men at {at} and killed {n} of them.",
                "At {at} the company security killed {n} artisanal miners with live bullets.",
                "We lost {n} people from our village at {at} when the guards fired on them.",
            ],
            [
                "{n} creuseurs ont été abattus par les gardes de la mine à {at}.",
                "Les gardes ont ouvert le feu sur des jeunes à {at} et en ont tué {n}.",
                "À {at} la sécurité de la société a tué {n} mineurs artisanaux par balles.",
                "Nous avons perdu {n} personnes du village à {at} quand les gardes ont tiré.",
            ],
        ],
    },
    Scenario {
        leaf: "rights.life_integrity.assault_injury",
        mistaken: "rights.life_integrity.torture_ill_treatment",
        measure: Some("injured"),
        openings: [
            [
                "Soldiers beat {n} diggers with sticks at {at}.",
                "{n} men were badly beaten at {at} by soldiers who guard the concession.",
                "At {at} an army patrol flogged {n} panners and broke their tools.",
                "The military wounded {n} of our boys at {at}, they are in hospital.",
            ],
            [
                "Des militaires ont battu {n} creuseurs à coups de bâton à {at}.",
                "{n} hommes ont été roués de coups à {at} par les soldats de la concession.",
                "À {at} une patrouille de l'armée a fouetté {n} orpailleurs et cassé leurs outils.",
                "Les militaires ont blessé {n} de nos jeunes à {at}, ils sont à l'hôpital.",
            ],
        ],
    },
    Scenario {
        leaf: "rights.liberty_civic_space.arbitrary_arrest_detention",
        mistaken: "rights.liberty_civic_space.threat_intimidation",
        measure: Some("detained"),
        openings: [
            [
                "Police arrested {n} miners at {at} without any warrant.",
                "{n} people are locked up since a police raid at {at}.",
                "At {at} officers took away {n} diggers and put them in the cell.",
                "They are holding {n} of us at the police post near {at} with no charge.",
            ],
            [
                "La police a arrêté {n} mineurs à {at} sans aucun mandat.",
                "{n} personnes sont enfermées depuis une descente de police à {at}.",
                "À {at} des policiers ont emmené {n} creuseurs et les ont mis au cachot.",
                "On détient {n} des nôtres au poste de police près de {at} sans charge.",
            ],
        ],
    },
    Scenario {
        leaf: "rights.land_displacement.forced_eviction",
        mistaken: "rights.land_displacement.property_destruction",
        measure: Some("displaced"),
        openings: [
            [
                "{n} families were driven from their houses at {at} for the mine.",
                "Bulldozers demolished homes at {at}; {n} people have no roof now.",
                "At {at} the company evicted {n} villagers to widen the pit.",
                "Houses were pulled down at {at} and {n} persons sleep outside.",
            ],
            [
                "{n} familles ont été chassées de leurs maisons à {at} pour la mine.",
                "Des bulldozers ont démoli des maisons à {at} ; {n} personnes sont sans toit.",
                "À {at} la société a expulsé {n} villageois pour agrandir la fosse.",
                "On a rasé des maisons à {at} et {n} personnes dorment dehors.",
            ],
        ],
    },
    Scenario {
        leaf: "environment.industrial_pollution.water_contaminated_industrial",
        mistaken: "environment.artisanal_degradation.river_siltation_artisanal",
        measure: None,
        openings: [
            [
                "The river at {at} is polluted by waste water from the plant, fish are dead.",
                "Waste from the processing plant ran into the stream at {at} and killed the fish.",
                "People at {at} cannot drink the river water, the mine pours its tailings there.",
                "Dead fish float below the washing plant at {at}; the water is poisoned.",
            ],
            [
                "La rivière à {at} est polluée par les eaux usées de l'usine, les poissons meurent.",
                "Des rejets de l'usine de traitement ont coulé dans le ruisseau à {at} et tué les poissons.",
                "Les gens de {at} ne peuvent plus boire l'eau de la rivière, la mine y verse ses rejets.",
                "Des poissons morts flottent sous la laverie à {at} ; l'eau est empoisonnée.",
            ],
        ],
    },
    Scenario {
        leaf: "rights.smuggling_illicit_trade.cross_border_smuggling",
        mistaken: "rights.smuggling_illicit_trade.official_complicity",
        measure: None,
        openings: [
            [
                "Traders carried diamonds from {at} across the border by night.",
                "A parcel of rough stones left {at} and was smuggled over the border.",
                "Smugglers bought stones at {at} and crossed to the other country without papers.",
                "At {at} a buyer hid diamonds and took them over the frontier.",
            ],
            [
                "Des négociants ont passé des diamants de {at} de l'autre côté de la frontière la nuit.",
                "Un lot de pierres brutes est parti de {at} et a été passé en fraude à la frontière.",
                "Des trafiquants ont acheté des pierres à {at} et sont passés dans l'autre pays sans papiers.",
                "À {at} un acheteur a caché des diamants et leur a fait passer la frontière.",
            ],
        ],
    },
    Scenario {
        leaf: "rights.smuggling_illicit_trade.official_complicity",
        mistaken: "rights.smuggling_illicit_trade.cross_border_smuggling",
        measure: None,
        openings: [
            [
                "Officials at {at} take bribes to let unregistered diamonds pass.",
                "A mines officer at {at} was paid to close his eyes on illegal stones.",
                "At {at} the customs men get money from dealers for every parcel.",
                "The mining police of {at} share in the illegal trade, they are paid by the dealers.",
            ],
            [
                "Des agents à {at} prennent des pots-de-vin pour laisser passer des diamants non déclarés.",
                "Un agent des mines à {at} a été payé pour fermer les yeux sur des pierres illégales.",
                "À {at} les douaniers reçoivent de l'argent des négociants pour chaque lot.",
                "La police des mines de {at} participe au trafic, les négociants la paient.",
            ],
        ],
    },
    Scenario {
        leaf: "environment.artisanal_degradation.river_siltation_artisanal",
        mistaken: "environment.industrial_pollution.water_contaminated_industrial",
        measure: None,
        openings: [
            [
                "Dredges at {at} turned the river to mud.",
                "The stream is red with mud since diggers wash gravel at {at}.",
                "Gravel washing by small miners at {at} fills the river bed with silt.",
                "At {at} the water is brown, artisanal pits empty their mud into it.",
            ],
            [
                "Des dragues à {at} ont changé la rivière en boue.",
                "Le marigot est rouge de boue depuis que les creuseurs lavent le gravier à {at}.",
                "Le lavage du gravier par les artisans à {at} envase le lit de la rivière.",
                "À {at} l'eau est brune, les fosses artisanales y vident leur boue.",
            ],
        ],
    },
    Scenario {
        leaf: "governance.accountability.consultation_absent",
        mistaken: "governance.benefit_sharing.benefit_agreement_breached",
        measure: None,
        openings: [
            [
                "Nobody asked the community of {at} before the licence was given.",
                "The company started to drill at {at} without any meeting with the village.",
                "At {at} the permit was signed and the people were never consulted.",
                "We of {at} heard of the new concession on the radio, no one had spoken to us.",
            ],
            [
                "Personne n'a consulté la communauté de {at} avant l'octroi du permis.",
                "La société a commencé à forer à {at} sans aucune réunion avec le village.",
                "À {at} le permis a été signé et la population n'a jamais été consultée.",
                "Nous de {at} avons appris la nouvelle concession à la radio, personne ne nous avait parlé.",
            ],
        ],
    },
    Scenario {
        leaf: "rights.labour.unsafe_work_accident",
        mistaken: "rights.labour.forced_labour",
        measure: Some("killed"),
        openings: [
            [
                "A pit collapsed at {at} and buried {n} diggers.",
                "{n} workers died under the earth when the wall of the pit fell in at {at}.",
                "The tunnel at {at} caved in; {n} bodies have been taken out.",
                "At {at} a trench gave way and {n} men were crushed.",
            ],
            [
                "Une fosse s'est effondrée à {at} et a enseveli {n} creuseurs.",
                "{n} travailleurs sont morts sous la terre quand la paroi de la fosse est tombée à {at}.",
                "Le tunnel de {at} s'est écroulé ; on a sorti {n} corps.",
                "À {at} une tranchée a cédé et {n} hommes ont été écrasés.",
            ],
        ],
    },
];

/// What else is told: each a choice of an event, in two wordings a language.
type Detail = Both<[&'static str; 2]>;

#[rustfmt::skip]
const WHEN: [Detail; 6] = [
    [["It was before dawn.", "It happened very early, still dark."], ["C'était avant l'aube.", "C'est arrivé très tôt, il faisait encore nuit."]],
    [["It was around noon.", "It happened at midday in the heat."], ["C'était vers midi.", "C'est arrivé à midi en pleine chaleur."]],
    [["It was after the evening prayer.", "It happened in the evening after prayers."], ["C'était après la prière du soir.", "C'est arrivé le soir après la prière."]],
    [["It was on the market day.", "It happened when everybody was at the market."], ["C'était le jour du marché.", "C'est arrivé quand tout le monde était au marché."]],
    [["It rained hard that day.", "It happened during the heavy rain."], ["Il pleuvait fort ce jour-là.", "C'est arrivé pendant la grosse pluie."]],
    [["School had just finished.", "It happened as the children left school."], ["L'école venait de finir.", "C'est arrivé à la sortie de l'école."]],
];

#[rustfmt::skip]
const SPOT: [Detail; 8] = [
    [["The place is behind the church.", "It is close to the church."], ["L'endroit est derrière l'église.", "C'est tout près de l'église."]],
    [["The place is by the old bridge.", "It is near the bridge."], ["L'endroit est au vieux pont.", "C'est à côté du pont."]],
    [["The place is at the fence of the concession.", "It is along the fence."], ["L'endroit est à la clôture de la concession.", "C'est le long de la clôture."]],
    [["The place is below the clinic.", "It is not far from the health post."], ["L'endroit est en bas du dispensaire.", "C'est non loin du poste de santé."]],
    [["The place is at the junction.", "It is where the two roads meet."], ["L'endroit est au carrefour.", "C'est là où les deux routes se croisent."]],
    [["The place is near the football field.", "It is beside the football pitch."], ["L'endroit est près du terrain de football.", "C'est à côté du terrain de foot."]],
    [["The place is under the big mango tree.", "It is at the mango trees."], ["L'endroit est sous le grand manguier.", "C'est aux manguiers."]],
    [["The place is at the airstrip.", "It is by the landing strip."], ["L'endroit est à la piste d'atterrissage.", "C'est à côté de la piste d'avion."]],
];

#[rustfmt::skip]
const OBJECT: [Detail; 8] = [
    [["There was a white Toyota pickup.", "A white pickup stood there."], ["Il y avait un pick-up Toyota blanc.", "Un pick-up blanc était là."]],
    [["There were four motorbikes.", "We saw four motorcycles."], ["Il y avait quatre motos.", "Nous avons vu quatre motos."]],
    [["There was a yellow excavator.", "A yellow digger machine was working."], ["Il y avait une pelleteuse jaune.", "Une pelle mécanique jaune travaillait."]],
    [["They had dogs.", "There were dogs with them."], ["Ils avaient des chiens.", "Il y avait des chiens avec eux."]],
    [["A canoe was used.", "They came in a canoe."], ["Une pirogue a servi.", "Ils sont venus en pirogue."]],
    [["A helicopter flew over.", "There was a helicopter in the air."], ["Un hélicoptère est passé.", "Il y avait un hélicoptère en l'air."]],
    [["Two water pumps were burnt.", "They set fire to two pumps."], ["Deux motopompes ont été brûlées.", "Ils ont mis le feu à deux pompes."]],
    [["Money and phones were taken.", "They took telephones and cash."], ["De l'argent et des téléphones ont été pris.", "Ils ont pris les téléphones et l'argent."]],
];

#[rustfmt::skip]
const AFTER: [Detail; 8] = [
    [["The chief has complained to the governor.", "The village chief went to see the governor."], ["Le chef s'est plaint au gouverneur.", "Le chef du village est allé voir le gouverneur."]],
    [["Women marched to the office in protest.", "The women protested at the office."], ["Les femmes ont marché vers le bureau pour protester.", "Les femmes ont manifesté devant le bureau."]],
    [["The radio has spoken of it.", "It was on the local radio."], ["La radio en a parlé.", "C'est passé à la radio locale."]],
    [["The manager denies everything.", "The boss says it is not true."], ["Le directeur nie tout.", "Le patron dit que ce n'est pas vrai."]],
    [["Many fled into the bush.", "A lot of people ran to the forest."], ["Beaucoup ont fui en brousse.", "Beaucoup de gens ont couru dans la forêt."]],
    [["A pastor brought us the names.", "We have the names from the pastor."], ["Un pasteur nous a apporté les noms.", "Nous avons les noms par le pasteur."]],
    [["The road has been closed since.", "Since then the road is blocked."], ["La route est fermée depuis.", "Depuis, la route est barrée."]],
    [["A lawyer from the capital came.", "There is a lawyer from the capital now."], ["Un avocat de la capitale est venu.", "Il y a maintenant un avocat de la capitale."]],
];

const PEOPLE: [&str; 14] = [
    "Sesay",
    "Kamara",
    "Mukendi",
    "Kabongo",
    "Moyo",
    "Ouattara",
    "Traoré",
    "Camara",
    "Ngaïssona",
    "Yambele",
    "Koroma",
    "Tshibangu",
    "Diabaté",
    "Molefe",
];
const NAMED: Both<[&str; 3]> = [
    ["A man called {who} was there.", "{who} saw it.", "They asked for {who}."],
    ["Un homme appelé {who} était là.", "{who} l'a vu.", "Ils ont demandé {who}."],
];

/// Something that happened.
#[derive(Clone)]
struct Event {
    number: usize,
    mine: usize,
    /// How far from the town's point, in degrees.
    off: (f64, f64),
    day: NaiveDate,
    scenario: usize,
    n: usize,
    details: [usize; 4],
    who: usize,
}

impl Event {
    fn happen(chance: &mut Chance, number: usize, mine: usize, day: NaiveDate) -> Self {
        // Mines of one town lie some kilometres around it.
        let mut off = || chance.share(120) / 1_000.0 - 0.06;
        Self {
            number,
            mine,
            off: (off(), off()),
            day,
            scenario: chance.below(SCENARIOS.len()),
            n: 2 + chance.below(11),
            details: [chance.below(6), chance.below(8), chance.below(8), chance.below(8)],
            who: chance.below(PEOPLE.len()),
        }
    }

    /// Another event at the same mine: of what may differ, all does.
    fn another(&self, chance: &mut Chance, number: usize, day: NaiveDate, scenario: usize) -> Self {
        let mut shift = |value: usize, n: usize| (value + 1 + chance.below(n - 1)) % n;
        let [when, spot, object, after] = self.details;
        let details = [shift(when, 6), shift(spot, 8), shift(object, 8), shift(after, 8)];
        let who = shift(self.who, PEOPLE.len());
        let n = 2 + (self.n - 2 + 1 + chance.below(10)) % 11;
        Self { number, day, scenario, n, details, who, ..self.clone() }
    }

    fn tell(&self, chance: &mut Chance, language: usize, opening: usize) -> Account {
        let scenario = &SCENARIOS[self.scenario];
        let (country, town, lat, lon) = MINES[self.mine];
        // One in five counts wrong, by one.
        let n = if chance.one_in(5) { self.n + 1 } else { self.n };
        let mut text = self.words(chance, language, opening, n);
        if chance.one_in(4) {
            text = without_accents(&text).to_lowercase();
        }
        let (lat, lon) = (lat + self.off.0, lon + self.off.1);
        // Up to some 600 m off.
        let mut jitter = || (chance.share(1_000) - 500.0) / 100_000.0;
        let (lat, lon) = (lat + jitter(), lon + jitter());
        let location = match chance.below(10) {
            0 => json!({"country": country, "place": town}),
            // As read off a map, to about a kilometre.
            1 => json!({"country": country, "lat": (lat * 100.0).round() / 100.0,
                "lon": (lon * 100.0).round() / 100.0}),
            _ => json!({"country": country, "lat": lat, "lon": lon}),
        };
        let day = match chance.below(10) {
            0 => self.day + Days::new(1),
            1 => self.day - Days::new(1),
            _ => self.day,
        };
        let occurred = if chance.one_in(20) {
            day.format("%Y-%m").to_string()
        } else {
            day.format("%Y-%m-%d").to_string()
        };
        let id = Uuid::from_u128((u128::from(chance.next()) << 64) | u128::from(chance.next()));
        let mut body =
            json!({"id": id, "occurred": occurred, "location": location, "narrative": text});
        let categories = match chance.below(10) {
            0 => Vec::new(),
            1 => vec![scenario.mistaken],
            _ => vec![scenario.leaf],
        };
        if !categories.is_empty() {
            body["categories"] = json!(categories);
        }
        if let Some(measure) = scenario.measure.filter(|_| !chance.one_in(3)) {
            body["harm"] = json!({ measure: n });
        }
        Account { event: self.number, body }
    }

    fn words(&self, chance: &mut Chance, language: usize, opening: usize, n: usize) -> String {
        let scenario = &SCENARIOS[self.scenario];
        let number =
            if chance.one_in(2) { n.to_string() } else { in_words(n, language).to_owned() };
        let opening = scenario.openings[language][opening % 4];
        let mut sentences =
            vec![opening.replace("{n}", &number).replace("{at}", MINES[self.mine].1)];
        let [when, spot, object, after] = self.details;
        for detail in [WHEN[when], SPOT[spot], OBJECT[object], AFTER[after]] {
            // Three of four remember it.
            if !chance.one_in(4) {
                sentences.push((*chance.of(&detail[language])).to_owned());
            }
        }
        if !chance.one_in(3) {
            sentences.push(chance.of(&NAMED[language]).replace("{who}", PEOPLE[self.who]));
        }
        // Not in the order of another.
        let n_sentences = sentences.len();
        sentences.swap(1 % n_sentences, n_sentences - 1);
        let mut text = sentences.join(" ");
        if let Some(first) = text.get(..1).map(str::to_uppercase) {
            text.replace_range(..1, &first);
        }
        text
    }
}

fn in_words(n: usize, language: usize) -> &'static str {
    const WORDS: Both<[&str; 14]> = [
        [
            "no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
            "eleven", "twelve", "thirteen",
        ],
        [
            "aucun", "un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf", "dix",
            "onze", "douze", "treize",
        ],
    ];
    WORDS[language][n]
}

fn without_accents(text: &str) -> String {
    let plain = |letter| match letter {
        'é' | 'è' | 'ê' | 'ë' => 'e',
        'à' | 'â' => 'a',
        'ô' => 'o',
        'û' | 'ù' => 'u',
        'î' | 'ï' => 'i',
        'ç' => 'c',
        'É' => 'E',
        'À' => 'A',
        other => other,
    };
    text.chars().map(plain).collect()
}

/// Invents a set; the same for the same seed.
pub(crate) fn invent(seed: u64) -> Set {
    let mut chance = Chance(seed);
    let (mut accounts, mut pairs, mut n_events) = (Vec::new(), Vec::new(), 0);
    let mut kinds: Vec<Kind> =
        Kind::ALL.into_iter().flat_map(|kind| vec![kind; kind.count()]).collect();
    for at in (1..kinds.len()).rev() {
        kinds.swap(at, chance.below(at + 1));
    }
    let begin = NaiveDate::from_ymd_opt(2022, 1, 10).expect("a day");
    for (pair, kind) in kinds.into_iter().enumerate() {
        // What happens at the mines of one town is about two weeks apart.
        let day = begin + Days::new((pair / MINES.len() * 14 + chance.below(4)) as u64);
        let event = Event::happen(&mut chance, n_events, pair % MINES.len(), day);
        let other = other_event(&mut chance, &event, kind);
        n_events += 2;
        let language = chance.below(2);
        let other_language = match kind {
            Kind::ToldTwice => language,
            Kind::OtherLanguage => 1 - language,
            // Two events are told in one language as a rule.
            Kind::SameMine | Kind::NearPlace | Kind::OtherCategory => {
                if chance.one_in(4) {
                    1 - language
                } else {
                    language
                }
            }
        };
        let opening = chance.below(4);
        let other_opening = opening + 1 + chance.below(3);
        accounts.push(event.tell(&mut chance, language, opening));
        accounts.push(other.tell(&mut chance, other_language, other_opening));
        pairs.push(kind);
    }
    Set { accounts, pairs }
}

fn other_event(chance: &mut Chance, event: &Event, kind: Kind) -> Event {
    let number = event.number + 1;
    match kind {
        Kind::ToldTwice | Kind::OtherLanguage => event.clone(),
        Kind::SameMine => {
            // Half of them on the same day or the next.
            let apart = if chance.one_in(2) { chance.below(2) } else { 2 + chance.below(9) };
            let day = event.day + Days::new(apart as u64);
            event.another(chance, number, day, event.scenario)
        }
        Kind::NearPlace => {
            let mut other = event.another(chance, number, event.day, event.scenario);
            // 8 to 14 km to the east.
            other.off.1 += 0.075 + chance.share(50) / 1_000.0;
            other
        }
        Kind::OtherCategory => {
            let scenario =
                (event.scenario + 1 + chance.below(SCENARIOS.len() - 1)) % SCENARIOS.len();
            event.another(chance, number, event.day, scenario)
        }
    }
}
