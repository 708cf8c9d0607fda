// How far do models agree on how dense a mechanism is, and on its reversal potential?
//
// One value per cell, mechanism and kind of section: the mean over the sections that carry it,
// weighted by area. A cell that several models copy counts once. A spread is absent for fewer than
// two values.
//
// Parameters:
//   mechanism (string = ""): part of a name that a model gives it, in any case; empty for all
//   ion (string = ""): ion that it carries; empty for all
//   min_models (integer = 1): least number of models
//   limit (integer = 100): rows
// Columns:
//   mechanism: name of the mechanism in lower case; those of one name stand together
//   place: soma, dendrite, axon or other; point for a cell without morphology
//   n_variants: distinct mechanisms of that name
//   n_models: models that define one of the cells
//   n_cells: cells that carry it in such sections
//   n_gbar: values of the density
//   gbar_mean_S_per_cm2 [S_per_cm2]: their mean
//   gbar_sd_S_per_cm2 [S_per_cm2]: their standard deviation
//   gbar_min_S_per_cm2 [S_per_cm2]: least
//   gbar_max_S_per_cm2 [S_per_cm2]: greatest
//   n_erev: values of the reversal potential
//   erev_mean_mV [mV]: their mean
//   erev_sd_mV [mV]: their standard deviation
//   erev_min_mV [mV]: least
//   erev_max_mV [mV]: greatest
MATCH (m:Model {status: 'current'})-[d:DEFINES]->(x:Mechanism)
WHERE toLower(coalesce(d.id, '')) CONTAINS toLower($mechanism)
  AND ($ion = '' OR x.ion = $ion OR $ion IN x.ions_written)
WITH DISTINCT x
MATCH (x)<-[e:HAS_MECHANISM]-(place)<-[:HAS_COMPARTMENT*0..1]-(cell:Cell)
WHERE EXISTS { (:Model {status: 'current'})-[:DEFINES]->(cell) }
WITH x, cell, place, coalesce(place.kind, 'point') AS kind, sum(e.gbar_S_per_cm2) AS gbar,
     count(e.gbar_S_per_cm2) AS known, avg(e.erev_mV) AS erev
WITH x, cell, place, kind, erev, CASE WHEN known > 0 THEN gbar END AS gbar,
     coalesce(place.area_um2, 1.0) AS area
WITH x, cell, kind, sum(gbar * area) AS gbar, sum(erev * area) AS erev,
     sum(CASE WHEN gbar IS NOT NULL THEN area END) AS gbar_area,
     sum(CASE WHEN erev IS NOT NULL THEN area END) AS erev_area
WITH toLower(x.name) AS name, kind, x, cell, CASE WHEN gbar_area > 0 THEN gbar / gbar_area END AS gbar,
     CASE WHEN erev_area > 0 THEN erev / erev_area END AS erev
WITH name, kind, count(DISTINCT x) AS n_variants, collect(DISTINCT cell) AS cells,
     count(gbar) AS n_gbar, avg(gbar) AS gbar, stDev(gbar) AS gbar_sd, min(gbar) AS gbar_min,
     max(gbar) AS gbar_max, count(erev) AS n_erev, avg(erev) AS erev, stDev(erev) AS erev_sd,
     min(erev) AS erev_min, max(erev) AS erev_max
WITH *, COUNT {
       UNWIND cells AS cell
       MATCH (h:Model {status: 'current'})-[:DEFINES]->(cell)
       RETURN DISTINCT h
     } AS n_models
WHERE n_models >= $min_models
RETURN name AS mechanism,
       kind AS place,
       n_variants,
       n_models,
       size(cells) AS n_cells,
       n_gbar,
       gbar AS gbar_mean_S_per_cm2,
       CASE WHEN n_gbar > 1 THEN gbar_sd END AS gbar_sd_S_per_cm2,
       gbar_min AS gbar_min_S_per_cm2,
       gbar_max AS gbar_max_S_per_cm2,
       n_erev,
       erev AS erev_mean_mV,
       CASE WHEN n_erev > 1 THEN erev_sd END AS erev_sd_mV,
       erev_min AS erev_min_mV,
       erev_max AS erev_max_mV
ORDER BY n_models DESC, mechanism, place
LIMIT $limit
