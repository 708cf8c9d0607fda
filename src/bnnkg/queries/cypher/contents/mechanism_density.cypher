// Where on the cell does a mechanism sit, and how dense is it there?
//
// Parameters:
//   mechanism (string = ""): part of the mechanism's name, in any case; empty for all
//   ion (string = ""): ion that it carries; empty for all
//   model (string = ""): key of a Model that defines the cell; empty for any
//   limit (integer = 100): rows
// Columns:
//   mechanism: name of the mechanism
//   ion: ion that it carries
//   cell: name of the cell
//   place: soma, dendrite, axon or other; point for a cell without morphology
//   n_compartments: sections of that kind which carry it
//   n_of_kind: sections of that kind in the cell
//   gbar_min_S_per_cm2 [S_per_cm2]: least density of maximal conductance
//   gbar_mean_S_per_cm2 [S_per_cm2]: mean density over these sections, weighted by area; plain
//     where they have no area
//   gbar_max_S_per_cm2 [S_per_cm2]: greatest density
//   erev_mV [mV]: mean reversal potential
//   mechanism_uid: identity of the mechanism
//   cell_uid: identity of the cell
MATCH (m:Model {status: 'current'})-[:DEFINES]->(cell:Cell)
WHERE $model IN ['', m.key]
WITH DISTINCT cell
MATCH (cell)-[:HAS_COMPARTMENT*0..1]->(place)-[e:HAS_MECHANISM]->(x:Mechanism)
WHERE toLower(x.name) CONTAINS toLower($mechanism)
  AND ($ion = '' OR coalesce(e.ion, x.ion) = $ion)
WITH cell, x, place, coalesce(place.kind, 'point') AS kind,
     coalesce(e.ion, x.ion) AS ion, sum(e.gbar_S_per_cm2) AS gbar, count(e.gbar_S_per_cm2) AS known,
     avg(e.erev_mV) AS erev
WITH cell, x, kind, ion, erev, place, CASE WHEN known > 0 THEN gbar END AS gbar
WITH cell, x, kind, ion, count(place) AS n_compartments, min(gbar) AS least, max(gbar) AS greatest,
     avg(gbar) AS plain, avg(erev) AS erev,
     sum(gbar * place.area_um2) AS total,
     sum(CASE WHEN gbar IS NOT NULL THEN place.area_um2 END) AS area
RETURN x.name AS mechanism,
       ion,
       cell.name AS cell,
       kind AS place,
       n_compartments,
       CASE kind WHEN 'point' THEN 1 ELSE
         COUNT { (cell)-[:HAS_COMPARTMENT]->(c:Compartment) WHERE c.kind = kind }
       END AS n_of_kind,
       least AS gbar_min_S_per_cm2,
       CASE WHEN area > 0 THEN total / area ELSE plain END AS gbar_mean_S_per_cm2,
       greatest AS gbar_max_S_per_cm2,
       erev AS erev_mV,
       x.uid AS mechanism_uid,
       cell.uid AS cell_uid
ORDER BY mechanism, cell, place, mechanism_uid, cell_uid, ion
LIMIT $limit
