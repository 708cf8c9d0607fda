// Which mechanisms, on which kind of section, does the trained network attend to?
//
// A cell's values are means over its instances, and weigh here by their number.
//
// Parameters:
//   run (string = ""): name of the annotation; empty for the unnamed one
//   model (string = ""): key of a Model that defines the cell; empty for any
//   limit (integer = 100): rows
// Columns:
//   mechanism: name of the mechanism
//   ion: ion that it carries or counts
//   place: soma, dendrite, axon or other; point for a cell without morphology
//   n_places: sections (or point cells) that carry it and have a value
//   n_instances: instances of these that the means were taken over
//   attention_lift: mean lift; 1 is no preference among what the section attends to
//   attention_lift_min: least lift of a section
//   attention_lift_max: greatest lift of a section
//   gbar_mean_S_per_cm2 [S_per_cm2]: mean density over these sections, each once
//   mechanism_uid: identity of the mechanism
MATCH (m:Model {status: 'current'})-[:DEFINES]->(cell:Cell)
WHERE $model IN ['', m.key]
WITH DISTINCT cell, CASE $run WHEN '' THEN '' ELSE '__' + $run END AS suffix
MATCH (cell)-[:HAS_COMPARTMENT*0..1]->(place)-[e:HAS_MECHANISM]->(x:Mechanism)
WITH x, place, e, e['attention_lift' + suffix] AS lift, coalesce(e['attention_n' + suffix], 1) AS n
WHERE lift IS NOT NULL
WITH x, coalesce(place.kind, 'point') AS kind, count(DISTINCT place) AS n_places,
     sum(n) AS n_instances, sum(lift * n) / sum(n) AS mean_lift, min(lift) AS least,
     max(lift) AS greatest, avg(e.gbar_S_per_cm2) AS gbar
RETURN x.name AS mechanism,
       x.ion AS ion,
       kind AS place,
       n_places,
       n_instances,
       mean_lift AS attention_lift,
       least AS attention_lift_min,
       greatest AS attention_lift_max,
       gbar AS gbar_mean_S_per_cm2,
       x.uid AS mechanism_uid
ORDER BY attention_lift DESC, mechanism, place, mechanism_uid
LIMIT $limit
