"""What kind of thing a NeuroML or LEMS class is."""

from __future__ import annotations

from typing import Literal

Kind = Literal["cell", "channel", "concentration", "synapse", "input"]

DETAILED_CELLS = frozenset({"cell", "cell2CaPools"})

_CLASSES: dict[Kind, str] = {
    "cell": """baseCell baseSpikingCell baseCellMembPot baseCellMembPotDL baseCellMembPotCap baseIaf
        baseIafCapCell basePyNNCell basePyNNIaFCell basePyNNIaFCondCell pointCellCondBased
        pointCellCondBasedCa cell cell2CaPools iafTauCell iafTauRefCell iafCell iafRefCell
        izhikevichCell izhikevich2007Cell adExIaFCell fitzHughNagumoCell fitzHughNagumo1969Cell
        pinskyRinzelCA3Cell hindmarshRose1984Cell IF_curr_alpha IF_curr_exp IF_cond_alpha
        IF_cond_exp EIF_cond_exp_isfa_ista EIF_cond_alpha_isfa_ista HH_cond_exp""",
    "channel": """baseIonChannel ionChannel ionChannelHH ionChannelKS ionChannelPassive
        ionChannelVShift""",
    "concentration": """concentrationModel decayingPoolConcentrationModel
        fixedFactorConcentrationModel fixedFactorConcentrationModelTraub""",
    "synapse": """baseSynapse baseSynapseDL baseVoltageDepSynapse baseCurrentBasedSynapse
        baseConductanceBasedSynapse baseConductanceBasedSynapseTwo baseGradedSynapse
        basePynnSynapse alphaCurrentSynapse alphaSynapse expOneSynapse expTwoSynapse
        expThreeSynapse blockingPlasticSynapse doubleSynapse stdpSynapse gapJunction silentSynapse
        linearGradedSynapse gradedSynapse expCondSynapse alphaCondSynapse expCurrSynapse
        alphaCurrSynapse""",
    "input": """basePointCurrent basePointCurrentDL baseVoltageDepPointCurrent
        baseVoltageDepPointCurrentDL baseVoltageDepPointCurrentSpiking baseSpikeSource
        pulseGenerator pulseGeneratorDL sineGenerator sineGeneratorDL rampGenerator rampGeneratorDL
        compoundInput compoundInputDL voltageClamp voltageClampTriple spikeArray
        timedSynapticInput spikeGenerator spikeGeneratorRandom spikeGeneratorPoisson
        spikeGeneratorRefPoisson poissonFiringSynapse transientPoissonFiringSynapse
        SpikeSourcePoisson""",
}
CORE_KINDS: dict[str, Kind] = {
    name: kind for kind, names in _CLASSES.items() for name in names.split()
}
"""Kinds of the classes that NeuroML itself defines, its abstract ones included."""

CORE_FILES = frozenset({
    "Cells.xml", "Channels.xml", "Inputs.xml", "Networks.xml", "NeuroML2CoreTypes.xml",
    "NeuroMLCoreCompTypes.xml", "NeuroMLCoreDimensions.xml", "PyNN.xml", "Simulation.xml",
    "Synapses.xml",
})  # fmt: skip
"""Files of NeuroML's own LEMS definitions, which simulators bring along."""
