// Which channels do models of a region, a species, a cell type use, and how dense are they?
//
// Models are found by the words of the field that they are about. A density is summed over the
// channels of the family in a section, averaged over the sections of that kind that carry any of
// them (weighted by area), then over the models that have one: only models whose cells were read
// with their channels give densities. A model that is about several terms counts in each.
//
// Parameters:
//   kind (string = "region"): kind of the terms: region, species, celltype, current, receptor, gene,
//     transmitter, concept ...
//   term (string = ""): part of the term's name, in any case; empty for all of that kind
//   about (string = ""): another term that the models are about too, such as a species; empty for
//     any
//   mechanism (string = ""): part of the name that the model gives the channel, in any case; empty
//     for all
//   family_by (string = "ion"): what makes a family: ion, or name
//   limit (integer = 1000): rows
// Columns:
//   term: word of the field
//   family: ion, joined by + where there are several, none where there is none; or name
//   n_models: models about the term that define such a channel
//   n_mechanisms: distinct contents among these channels
//   names: their ten most common names, in lower case
//   n_models_with_density: models that have a density of them
//   gbar_soma_S_per_cm2 [S_per_cm2]: mean density in somata that carry one of them
//   gbar_dendrite_S_per_cm2 [S_per_cm2]: the same in dendrites
//   gbar_axon_S_per_cm2 [S_per_cm2]: the same in axons
//   term_uid: identity of the term
MATCH (m:Model {status: 'current'})
WHERE EXISTS {
        MATCH (m)-[:ABOUT]->(t:Term)
        WHERE t.kind = $kind AND toLower(t.name) CONTAINS toLower($term)
      }
  AND ($about = ''
       OR EXISTS { MATCH (m)-[:ABOUT]->(t:Term) WHERE toLower(t.name) = toLower($about) })
MATCH (m)-[d:DEFINES]->(x:Mechanism)
WHERE x.kind = 'channel' AND toLower(coalesce(d.id, '')) CONTAINS toLower($mechanism)
WITH m, x, toLower(coalesce(d.id, '')) AS name,
     coalesce(x.ion, reduce(ions = '', one IN coalesce(x.ions_written, []) |
       ions + CASE ions WHEN '' THEN '' ELSE '+' END + one)) AS ions
WITH m, x, name,
     CASE WHEN $family_by = 'name' THEN name WHEN ions = '' THEN 'none' ELSE ions END AS family
WITH m, collect(DISTINCT [x, family]) AS members, collect([family, x, name]) AS entries
WITH m, members, entries, COLLECT {
       MATCH (m)-[:DEFINES]->(cell:Cell)
       WITH DISTINCT cell, members
       MATCH (cell)-[:HAS_COMPARTMENT]->(c:Compartment)-[e:HAS_MECHANISM]->(x:Mechanism)
       WHERE e.gbar_S_per_cm2 IS NOT NULL
       UNWIND [one IN members WHERE one[0] = x | one[1]] AS family
       WITH family, c, sum(e.gbar_S_per_cm2) AS gbar
       WITH family, c.kind AS place, avg(gbar) AS plain, sum(gbar * c.area_um2) AS total,
            sum(c.area_um2) AS area
       RETURN [family, place, CASE WHEN area > 0 THEN total / area ELSE plain END]
     } AS densities
UNWIND entries AS entry
WITH m, densities, entry[0] AS family,
     collect(DISTINCT entry[1]) AS channels, collect(DISTINCT entry[2]) AS names
WITH m, family, channels, names, [one IN densities WHERE one[0] = family] AS densities
MATCH (m)-[:ABOUT]->(t:Term)
WHERE t.kind = $kind AND toLower(t.name) CONTAINS toLower($term)
WITH t, family, m, channels, names, densities,
     head([one IN densities WHERE one[1] = 'soma' | one[2]]) AS soma,
     head([one IN densities WHERE one[1] = 'dendrite' | one[2]]) AS dendrite,
     head([one IN densities WHERE one[1] = 'axon' | one[2]]) AS axon
WITH t, family, count(m) AS n_models, collect(channels) AS channels, collect(names) AS names,
     sum(CASE WHEN size(densities) > 0 THEN 1 ELSE 0 END) AS n_dense,
     avg(soma) AS soma, avg(dendrite) AS dendrite, avg(axon) AS axon
RETURN t.name AS term,
       family,
       n_models,
       COUNT { UNWIND channels AS some UNWIND some AS x RETURN DISTINCT x } AS n_mechanisms,
       COLLECT {
         UNWIND names AS some
         UNWIND some AS name
         WITH name, count(*) AS n
         ORDER BY n DESC, name
         LIMIT 10
         RETURN name
       } AS names,
       n_dense AS n_models_with_density,
       soma AS gbar_soma_S_per_cm2,
       dendrite AS gbar_dendrite_S_per_cm2,
       axon AS gbar_axon_S_per_cm2,
       t.uid AS term_uid
ORDER BY term, term_uid, n_models DESC, family
LIMIT $limit
