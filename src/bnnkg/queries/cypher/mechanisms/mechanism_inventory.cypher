// Which mechanisms and synapse models does a model have, what are they made of, and where are they?
//
// Parameters:
//   model (string = ""): key of a Model; empty for all
//   verbatim_only (boolean = false): only those that contain code in C
//   limit (integer = 1000): rows
// Columns:
//   model: key of the Model
//   mechanism: smallest of the names that the model gives it
//   kind: channel, concentration, point, other, unresolved or synapse
//   mechanism_class: NeuroML class, SUFFIX, POINT_PROCESS or ARTIFICIAL_CELL
//   ion: ion that it carries or counts
//   ions_read: ions whose state it reads
//   ions_written: ions whose current or concentration it sets
//   states: its state variables
//   pointers: quantities that it reads from elsewhere
//   is_conductance_based: whether its current is a conductance times a driving force
//   has_verbatim: whether it contains code in C
//   short_term_plasticity: class of a synapse model's plasticity
//   n_cells: cells of the model that carry it
//   n_compartments: sections of these cells that carry it
//   n_neurons: neurons of the model that are copies of these cells
//   n_synapses: connections of the model that use it
//   mechanism_uid: identity of the mechanism or synapse model
MATCH (m:Model {status: 'current'})
WHERE $model IN ['', m.key]
WITH m, COLLECT {
       MATCH (m)-[:DEFINES]->(cell:Cell)
       WITH DISTINCT m, cell
       MATCH (cell)-[:HAS_COMPARTMENT*0..1]->(place)-[:HAS_MECHANISM]->(x:Mechanism)
       WITH m, cell, x, count(DISTINCT CASE WHEN place:Compartment THEN place END) AS n_places
       WITH cell, x, n_places, COUNT {
              MATCH (n:Neuron)-[:INSTANCE_OF]->(cell) WHERE n.model_uid = m.uid
            } AS n_neurons
       WITH x, count(cell) AS n_cells, sum(n_places) AS n_places, sum(n_neurons) AS n_neurons
       RETURN [x, n_cells, n_places, n_neurons]
     } AS placed
MATCH (m)-[d:DEFINES]->(x:Mechanism|SynapseType)
WHERE NOT $verbatim_only OR x.has_verbatim
WITH m, placed, x, min(d.id) AS name
ORDER BY m.key, m.uid, name, x.uid
LIMIT $limit
WITH m, x, name, head([one IN placed WHERE one[0] = x]) AS at
RETURN m.key AS model,
       name AS mechanism,
       coalesce(x.kind, 'synapse') AS kind,
       coalesce(x.mechanism_class, x.synapse_class) AS mechanism_class,
       x.ion AS ion,
       coalesce(x.ions_read, []) AS ions_read,
       coalesce(x.ions_written, []) AS ions_written,
       coalesce(x.state_names, []) AS states,
       coalesce(x.pointer_names, []) AS pointers,
       x.is_conductance_based AS is_conductance_based,
       coalesce(x.has_verbatim, false) AS has_verbatim,
       x.short_term_plasticity AS short_term_plasticity,
       coalesce(at[1], 0) AS n_cells,
       coalesce(at[2], 0) AS n_compartments,
       coalesce(at[3], 0) AS n_neurons,
       COUNT {
         MATCH (s:Synapse)-[:OF_TYPE]->(x) WHERE s.model_uid = m.uid RETURN DISTINCT s
       } AS n_synapses,
       x.uid AS mechanism_uid
ORDER BY model, m.uid, mechanism, mechanism_uid
