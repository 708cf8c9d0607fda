// Which models put Ih where, how dense, and how does it change with distance?
//
// Found by function: a channel all of whose gates open on hyperpolarisation, half open below a
// potential, and that does not carry sodium, potassium or calcium alone. Found by name: one that
// its model calls as the pattern says. Found by term: a model that is about the current and has
// neither; it stands once, without a mechanism. A model of which only the files were read has
// its channels without places.
//
// Parameters:
//   v_half_below_mV (float = -60.0): every gate is half open below this potential
//   pattern (string = "(?i)(h|hd|htc?|iar|hcurrent|ih.*|.*ih|.*hcn.*)"): regular expression for
//     the whole of the name that a model gives it; empty for none
//   current (string = "I h"): term of kind current that such models are about
//   model (string = ""): key of a Model; empty for all
//   limit (integer = 1000): rows
// Columns:
//   model: key of the Model
//   found_by: function, name, function and name, or term
//   is_about: whether the model is about the current
//   mechanism: smallest of the names that the model gives it
//   v_half_mV [mV]: per gate, where it is half open; not known where absent
//   cell: name of the cell
//   place: soma, dendrite, axon or other; point for a cell without morphology
//   n_compartments: sections of that kind which carry it
//   n_of_kind: sections of that kind in the cell
//   gbar_mean_S_per_cm2 [S_per_cm2]: mean density over these sections, weighted by area; plain
//     where they have no area
//   gbar_min_S_per_cm2 [S_per_cm2]: least density of a section
//   gbar_max_S_per_cm2 [S_per_cm2]: greatest density of a section
//   path_min_um [um]: path from the root to the middle of the nearest of them
//   path_max_um [um]: path to the farthest
//   gradient_S_per_cm2_per_100um [S_per_cm2 per 100 um]: slope of the density against path, least
//     squares over these sections
//   mechanism_uid: identity of the mechanism
//   cell_uid: identity of the cell
MATCH (m:Model {status: 'current'})
WHERE $model IN ['', m.key]
WITH m, EXISTS { (m)-[:ABOUT]->(:Term {kind: 'current', name: $current}) } AS is_about, COLLECT {
       MATCH (m)-[d:DEFINES]->(x:Mechanism)
       WHERE x.kind = 'channel'
       WITH x, min(d.id) AS name, collect(DISTINCT d.id) AS ids,
            coalesce(x.ions_written, CASE WHEN x.ion IS NULL THEN [] ELSE [x.ion] END) AS ions,
            range(0, size(coalesce(x.gate_v_half_mV, [])) - 1) AS gates
       WITH x, name, any(id IN ids WHERE id =~ $pattern) AS named,
            size(gates) > 0 AND NOT ions IN [['na'], ['k'], ['ca']]
              AND all(i IN gates WHERE x.gate_slope_mV[i] < 0
                                   AND x.gate_v_half_mV[i] < $v_half_below_mV) AS opens
       WHERE named OR opens
       RETURN [x, name,
               CASE WHEN named AND opens THEN 'function and name'
                    WHEN named THEN 'name' ELSE 'function' END]
     } AS found
UNWIND CASE WHEN is_about AND size(found) = 0 THEN [[null, null, 'term']] ELSE found END AS one
WITH m, is_about, one[0] AS x, one[1] AS name, one[2] AS found_by
OPTIONAL MATCH (x)<-[e:HAS_MECHANISM]-(place)<-[:HAS_COMPARTMENT*0..1]-(cell:Cell)
WHERE EXISTS { (m)-[:DEFINES]->(cell) }
WITH m, is_about, x, name, found_by, cell, place, coalesce(place.kind, 'point') AS kind,
     sum(e.gbar_S_per_cm2) AS gbar, count(e.gbar_S_per_cm2) AS known
WITH m, is_about, x, name, found_by, cell, kind, place, CASE WHEN known > 0 THEN gbar END AS gbar,
     place.path_distance_um AS path
WITH m, is_about, x, name, found_by, cell, kind, count(place) AS n_compartments,
     min(gbar) AS least, max(gbar) AS greatest, avg(gbar) AS plain,
     sum(gbar * place.area_um2) AS total,
     sum(CASE WHEN gbar IS NOT NULL THEN place.area_um2 END) AS area,
     min(path) AS nearest, max(path) AS farthest,
     count(gbar * path) AS n, sum(gbar * path) AS sum_xy,
     sum(CASE WHEN gbar IS NOT NULL THEN path END) AS sum_x,
     sum(CASE WHEN gbar IS NOT NULL THEN path * path END) AS sum_xx,
     sum(CASE WHEN path IS NOT NULL THEN gbar END) AS sum_y
RETURN m.key AS model,
       found_by,
       is_about,
       name AS mechanism,
       [v IN x.gate_v_half_mV | CASE WHEN v = v THEN v END] AS v_half_mV,
       cell.name AS cell,
       CASE WHEN cell IS NOT NULL THEN kind END AS place,
       n_compartments,
       CASE WHEN cell IS NULL THEN 0 WHEN kind = 'point' THEN 1 ELSE
         COUNT { (cell)-[:HAS_COMPARTMENT]->(c:Compartment) WHERE c.kind = kind }
       END AS n_of_kind,
       CASE WHEN area > 0 THEN total / area ELSE plain END AS gbar_mean_S_per_cm2,
       least AS gbar_min_S_per_cm2,
       greatest AS gbar_max_S_per_cm2,
       nearest AS path_min_um,
       farthest AS path_max_um,
       CASE WHEN n > 1 AND n * sum_xx - sum_x * sum_x > 1e-9 * n * sum_xx
            THEN 100 * (n * sum_xy - sum_x * sum_y) / (n * sum_xx - sum_x * sum_x)
       END AS gradient_S_per_cm2_per_100um,
       x.uid AS mechanism_uid,
       cell.uid AS cell_uid
ORDER BY model, mechanism, mechanism_uid, cell, cell_uid, place
LIMIT $limit
