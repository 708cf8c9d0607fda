"""Documents that hold every class of NeuroML 2.3, and of LEMS beside it, at least once."""

from __future__ import annotations

_SIGMOID = 'type="HHSigmoidVariable" rate="1" midpoint="-40mV" scale="9mV"'
_EXP = 'type="HHExpRate" rate="1per_ms" midpoint="-40mV" scale="9mV"'
_BACK = 'type="HHExpRate" rate="1per_ms" midpoint="-40mV" scale="-9mV"'
_RATES = f"<forwardRate {_EXP}/><reverseRate {_BACK}/>"
_RDF = """<annotation><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
  xmlns:bqbiol="http://biomodels.net/biology-qualifiers/"><rdf:Description rdf:about="hh">
  <bqbiol:isVersionOf><rdf:Bag><rdf:li rdf:resource="http://identifiers.org/obo.go/GO:0005248"/>
  </rdf:Bag></bqbiol:isVersionOf></rdf:Description></rdf:RDF></annotation>"""
_STEADY = f"<steadyState {_SIGMOID}/>"
_COURSE = '<timeCourse type="fixedTimeCourse" tau="2ms"/>'
_Q10 = '<q10Settings type="q10ExpTemp" q10Factor="3" experimentalTemp="6.3degC"/>'

CHANNELS = f"""
<ionChannelHH id="hh" conductance="10pS" species="na"><notes>of the squid</notes>
  <property tag="source" value="axon"/>{_RDF}
  <q10ConductanceScaling q10Factor="1.5" experimentalTemp="6.3degC"/>
  <gateHHrates id="a" instances="1"><notes>activation</notes>{_Q10}{_RATES}</gateHHrates>
  <gateHHratesTau id="b" instances="1">{_RATES}{_COURSE}</gateHHratesTau>
  <gateHHratesInf id="c" instances="1">{_RATES}{_STEADY}</gateHHratesInf>
  <gateHHratesTauInf id="d" instances="1">{_RATES}{_COURSE}{_STEADY}</gateHHratesTauInf>
  <gateHHtauInf id="e" instances="1">{_COURSE}{_STEADY}</gateHHtauInf>
  <gateHHInstantaneous id="f" instances="1">{_STEADY}</gateHHInstantaneous>
  <gateFractional id="g" instances="1"><subGate id="h" fractionalConductance="1"
    >{_STEADY}{_COURSE}</subGate></gateFractional>
  <gate id="i" instances="1" type="gateHHrates">{_RATES}</gate>
</ionChannelHH>
<ionChannel id="plain" type="ionChannelHH" conductance="10pS" species="ca"/>
<ionChannelPassive id="pas" conductance="10pS"/>
<ionChannelVShift id="shifted" conductance="10pS" species="k" vShift="5mV">
  <gateHHtauInf id="n" instances="4">{_COURSE}{_STEADY}</gateHHtauInf></ionChannelVShift>
<ionChannelKS id="ks" conductance="10pS" species="k">
  <gateKS id="n" instances="1"><closedState id="c1"/><closedState id="c2"/><openState id="o1"/>
    <openState id="o2"/>
    <forwardTransition id="t1" from="c1" to="c2"><rate {_EXP}/></forwardTransition>
    <reverseTransition id="t2" from="c1" to="c2"><rate {_EXP}/></reverseTransition>
    <tauInfTransition id="t3" from="c2" to="o1">{_STEADY}{_COURSE}</tauInfTransition>
    <vHalfTransition id="t4" from="o1" to="o2" vHalf="0mV" z="1" gamma="0.5" tau="3ms"
      tauMin="0.3ms"/></gateKS></ionChannelKS>
"""

CONCENTRATIONS = """
<decayingPoolConcentrationModel id="pool" ion="ca" restingConc="1e-4mM" decayConstant="9ms"
  shellThickness="0.1um"/>
<fixedFactorConcentrationModel id="factor" ion="ca" restingConc="1e-4mM" decayConstant="9ms"
  rho="3e-3 mol_per_m_per_A_per_s"/>
<concentrationModel id="model" type="decayingPoolConcentrationModel" ion="ca" restingConc="1e-4mM"
  decayConstant="8ms" shellThickness="0.1um"/>
<fixedFactorConcentrationModelTraub id="traub" species="ca" restingConc="0mM" beta="0.1per_ms"
  phi="2" />
"""

SYNAPSES = """
<alphaSynapse id="alpha" tau="2ms" gbase="1nS" erev="0mV"/>
<alphaCurrentSynapse id="alpha_current" tau="2ms" ibase="1pA"/>
<expOneSynapse id="exp_one" tauDecay="2ms" gbase="1nS" erev="0mV"/>
<expTwoSynapse id="exp_two" tauRise="1ms" tauDecay="2ms" gbase="1nS" erev="0mV"/>
<expThreeSynapse id="exp_three" gbase1="1nS" gbase2="2nS" tauRise="1ms" tauDecay1="3ms"
  tauDecay2="9ms" erev="0mV"/>
<blockingPlasticSynapse id="nmda" gbase="1nS" erev="0mV" tauRise="2ms" tauDecay="8ms">
  <plasticityMechanism type="tsodyksMarkramDepFacMechanism" initReleaseProb="0.5" tauRec="120ms"
    tauFac="10ms"/>
  <blockMechanism type="voltageConcDepBlockMechanism" species="mg" blockConcentration="1.2mM"
    scalingConc="1.9mM" scalingVolt="0.12mV"/></blockingPlasticSynapse>
<blockingPlasticSynapse id="depressing" gbase="1nS" erev="0mV" tauRise="2ms" tauDecay="8ms">
  <tsodyksMarkramDepMechanism initReleaseProb="0.5" tauRec="120ms"/></blockingPlasticSynapse>
<doubleSynapse id="both" synapse1="exp_two" synapse2="nmda" synapse1Path="exp_two"
  synapse2Path="nmda"/>
<stdpSynapse id="stdp" tsinceRate="1per_ms" gbase="1nS" erev="0mV" tauRise="2ms" tauDecay="8ms"/>
<gapJunction id="gap" conductance="10pS"/>
<linearGradedSynapse id="linear" conductance="5pS"/>
<gradedSynapse id="graded" conductance="5pS" delta="5mV" Vth="-55mV" k="0.025per_ms" erev="0mV"/>
<silentSynapse id="silent"/>
<expCondSynapse id="pynn_ec" e_rev="0" tau_syn="5"/>
<alphaCondSynapse id="pynn_ac" e_rev="0" tau_syn="5"/>
<expCurrSynapse id="pynn_ei" tau_syn="5"/>
<alphaCurrSynapse id="pynn_ai" tau_syn="5"/>
"""

_PYNN = 'cm="1" i_offset="0.9" tau_syn_E="2" tau_syn_I="5" v_init="-65"'
_PYNN_IF = f'{_PYNN} tau_m="20" tau_refrac="3" v_reset="-62" v_rest="-65" v_thresh="-52"'
_PYNN_EIF = f'{_PYNN_IF} e_rev_E="0" e_rev_I="-80" a="0" b="0" delta_T="2" tau_w="144" v_spike="0"'
POINTS = f"""
<iafTauCell id="iaf_tau" leakReversal="-50mV" thresh="-55mV" reset="-70mV" tau="30ms"/>
<iafTauRefCell id="iaf_tau_ref" leakReversal="-50mV" thresh="-55mV" reset="-70mV" tau="30ms"
  refract="5ms"/>
<iafCell id="iaf" leakReversal="-60mV" thresh="-35mV" reset="-65mV" C="1nF"
  leakConductance="0.05uS"/>
<iafRefCell id="iaf_ref" leakReversal="-60mV" thresh="-35mV" reset="-65mV" C="1nF"
  leakConductance="0.05uS" refract="5ms"/>
<izhikevichCell id="izh" v0="-70mV" thresh="30mV" a="0.02" b="0.2" c="-65" d="6"/>
<izhikevich2007Cell id="izh07" v0="-60mV" C="100pF" k="0.7nS_per_mV" vr="-60mV" vt="-40mV"
  vpeak="35mV" a="0.03per_ms" b="-2nS" c="-50mV" d="100pA"/>
<adExIaFCell id="adex" C="281pF" gL="30nS" EL="-70.6mV" reset="-48.5mV" VT="-50.4mV"
  thresh="-40.4mV" refract="0ms" delT="2mV" tauw="40ms" a="4nS" b="0.08nA"/>
<fitzHughNagumoCell id="fhn" I="0.8"/>
<fitzHughNagumo1969Cell id="fhn69" a="0.7" b="0.08" I="1" phi="0.08" V0="0" W0="0"/>
<pinskyRinzelCA3Cell id="pr" iSoma="0 uA_per_cm2" iDend="0 uA_per_cm2" gLs="0.1 mS_per_cm2"
  gLd="0.1 mS_per_cm2" gNa="30 mS_per_cm2" gKdr="15 mS_per_cm2" gCa="10 mS_per_cm2"
  gKahp="0.8 mS_per_cm2" gKC="15 mS_per_cm2" gc="2.1 mS_per_cm2" eNa="60 mV" eCa="80 mV"
  eK="-75 mV" eL="-60 mV" qd0="0" pp="0.5" alphac="2" betac="0.1" cm="3 uF_per_cm2"
  gNmda="0 mS_per_cm2" gAmpa="0 mS_per_cm2"/>
<hindmarshRose1984Cell id="hr" a="1.0" b="3.0" c="-3.0" d="5.0" s="4.0" x1="-1.3" r="0.002"
  x0="-1.1" y0="-9" z0="1.0" v_scaling="35.71mV" C="1.0pF"/>
<IF_curr_alpha id="p1" {_PYNN_IF}/><IF_curr_exp id="p2" {_PYNN_IF}/>
<IF_cond_alpha id="p3" {_PYNN_IF} e_rev_E="0" e_rev_I="-80"/>
<IF_cond_exp id="p4" {_PYNN_IF} e_rev_E="0" e_rev_I="-80"/>
<EIF_cond_exp_isfa_ista id="p5" {_PYNN_EIF}/><EIF_cond_alpha_isfa_ista id="p6" {_PYNN_EIF}/>
<HH_cond_exp id="p7" {_PYNN} gbar_K="6" gbar_Na="20" g_leak="0.01" e_rev_E="0" e_rev_I="-80"
  e_rev_K="-90" e_rev_Na="50" e_rev_leak="-65" v_offset="-63"/>
<pointCellCondBased id="point" C="10pF" v0="-65mV" thresh="20mV">
  <channelPopulation id="leaks" ionChannel="pas" number="300" erev="-54mV" ion="non_specific"/>
</pointCellCondBased>
"""

_SEGMENTS = """
  <segment id="0" name="soma"><proximal x="0" y="0" z="0" diameter="10"/>
    <distal x="0" y="10" z="0" diameter="10"/></segment>
  <segment id="1" name="dend"><parent segment="0"/><proximal x="0" y="10" z="0" diameter="2"/>
    <distal x="0" y="60" z="0" diameter="2"/></segment>
  <segment id="2" name="tip"><parent segment="1" fractionAlong="0.5"/>
    <proximal x="0" y="35" z="0" diameter="2"/><distal x="0" y="60" z="9" diameter="1"/></segment>
"""
_GROUPS = """
  <segmentGroup id="soma_group" neuroLexId="GO:0043025"><notes>the soma</notes>
    <property tag="numberInternalDivisions" value="3"/><member segment="0"/></segmentGroup>
  <segmentGroup id="dendrite_group"><include segmentGroup="tips"/><path><from segment="1"/>
    <to segment="1"/></path>
    <inhomogeneousParameter id="dist" variable="p" metric="Path Length from root">
      <proximal translationStart="0"/><distal normalizationEnd="1"/></inhomogeneousParameter>
  </segmentGroup>
  <segmentGroup id="tips"><subTree><from segment="2"/></subTree></segmentGroup>
"""


def _varying(parameter: str) -> str:
    return f"""<variableParameter parameter="{parameter}" segmentGroup="dendrite_group">
      <inhomogeneousValue inhomogeneousParameter="dist" value="1e-3 * exp(-p / 100)"/>
    </variableParameter>"""


_DENSITIES = f"""
  <channelPopulation id="d1" ionChannel="hh" number="40" erev="50mV" ion="na" segment="0"/>
  <channelDensity id="d2" ionChannel="pas" condDensity="0.3 mS_per_cm2" erev="-54mV"
    ion="non_specific"/>
  <channelDensityVShift id="d3" ionChannel="shifted" vShift="3mV" condDensity="1 mS_per_cm2"
    erev="-77mV" ion="k"/>
  <channelDensityNernst id="d4" ionChannel="plain" condDensity="1 mS_per_cm2" ion="ca"/>
  <channelDensityGHK id="d5" ionChannel="plain" permeability="1e-4 cm_per_s" ion="ca"/>
  <channelDensityGHK2 id="d6" ionChannel="plain" condDensity="1 mS_per_cm2" ion="ca"/>
  <channelDensityNonUniform id="d7" ionChannel="hh" erev="50mV" ion="na"
    >{_varying("condDensity")}</channelDensityNonUniform>
  <channelDensityNonUniformNernst id="d8" ionChannel="plain" ion="ca"
    >{_varying("condDensity")}</channelDensityNonUniformNernst>
  <channelDensityNonUniformGHK id="d9" ionChannel="plain" ion="ca"
    >{_varying("permeability")}</channelDensityNonUniformGHK>
"""
_MEMBRANE = """
  <spikeThresh value="-20mV"/><specificCapacitance value="1 uF_per_cm2"/>
  <initMembPotential value="-65mV"/>
"""
_SPECIES = """<species id="ca" ion="ca" concentrationModel="pool" initialConcentration="1e-4mM"
  initialExtConcentration="2mM"/>"""
_INSIDE = f"""<intracellularProperties>{_SPECIES}<resistivity value="0.1 kohm_cm"/>
  </intracellularProperties>"""
_BIOPHYSICS = f"""<membraneProperties>{_DENSITIES}{_MEMBRANE}</membraneProperties>{_INSIDE}
  <extracellularProperties>{_SPECIES}</extracellularProperties>"""
CELLS = f"""
<cell id="whole"><notes>a cell</notes><morphology id="shape">{_SEGMENTS}{_GROUPS}</morphology>
  <biophysicalProperties id="physics"><notes>of its membrane</notes>{_BIOPHYSICS}
  </biophysicalProperties></cell>
<morphology id="outside">{_SEGMENTS}{_GROUPS}</morphology>
<biophysicalProperties id="elsewhere">{_BIOPHYSICS}</biophysicalProperties>
<cell id="by_reference" morphology="outside" biophysicalProperties="elsewhere"/>
<cell2CaPools id="two_pools"><morphology id="shape2">{_SEGMENTS}{_GROUPS}</morphology>
  <biophysicalProperties2CaPools id="physics2"><membraneProperties2CaPools>
    <channelDensityNernstCa2 id="c1" ionChannel="plain" condDensity="1 mS_per_cm2" ion="ca2"/>
    {_MEMBRANE}</membraneProperties2CaPools>
    <intracellularProperties2CaPools><species id="ca" ion="ca" concentrationModel="pool"
      initialConcentration="1e-4mM" initialExtConcentration="2mM"/><species id="ca2" ion="ca2"
      concentrationModel="factor" initialConcentration="1e-4mM" initialExtConcentration="2mM"/>
      <resistivity value="0.1 kohm_cm"/></intracellularProperties2CaPools>
  </biophysicalProperties2CaPools></cell2CaPools>
"""

INPUTS = """
<pulseGenerator id="pulse" delay="1ms" duration="5ms" amplitude="0.1nA"/>
<pulseGeneratorDL id="pulse_dl" delay="1ms" duration="5ms" amplitude="0.1"/>
<sineGenerator id="sine" phase="0" delay="1ms" duration="5ms" amplitude="1nA" period="50ms"/>
<sineGeneratorDL id="sine_dl" phase="0" delay="1ms" duration="5ms" amplitude="1" period="50ms"/>
<rampGenerator id="ramp" delay="1ms" duration="5ms" startAmplitude="0nA" finishAmplitude="1nA"
  baselineAmplitude="0nA"/>
<rampGeneratorDL id="ramp_dl" delay="1ms" duration="5ms" startAmplitude="0" finishAmplitude="1"
  baselineAmplitude="0"/>
<compoundInput id="compound"><pulseGenerator id="in1" delay="1ms" duration="5ms"
  amplitude="0.1nA"/><sineGenerator id="in2" phase="0" delay="1ms" duration="5ms" amplitude="1nA"
  period="50ms"/></compoundInput>
<compoundInputDL id="compound_dl"><pulseGeneratorDL id="in3" delay="1ms" duration="5ms"
  amplitude="0.1"/></compoundInputDL>
<voltageClamp id="clamp" delay="1ms" duration="5ms" targetVoltage="-60mV"
  simpleSeriesResistance="1Mohm"/>
<voltageClampTriple id="triple" active="1" delay="1ms" duration="5ms" conditioningVoltage="-70mV"
  testingVoltage="-20mV" returnVoltage="-70mV" simpleSeriesResistance="1Mohm"/>
<spikeArray id="spikes"><spike id="0" time="2ms"/><spike id="1" time="5ms"/></spikeArray>
<timedSynapticInput id="timed" synapse="exp_two" spikeTarget="./exp_two"><spike id="0" time="2ms"/>
</timedSynapticInput>
<spikeGenerator id="regular" period="30ms"/>
<spikeGeneratorRandom id="uniform" minISI="2ms" maxISI="9ms"/>
<spikeGeneratorPoisson id="poisson" averageRate="50Hz"/>
<spikeGeneratorRefPoisson id="ref_poisson" averageRate="50Hz" minimumISI="10ms"/>
<poissonFiringSynapse id="firing" averageRate="50Hz" synapse="exp_two" spikeTarget="./exp_two"/>
<transientPoissonFiringSynapse id="transient" averageRate="50Hz" delay="5ms" duration="50ms"
  synapse="exp_two" spikeTarget="./exp_two"/>
<SpikeSourcePoisson id="pynn_source" start="5ms" duration="50ms" rate="50Hz"/>
"""

NETWORK = """
<network id="net" type="networkWithTemperature" temperature="16.3degC"><notes>a network</notes>
  <property tag="seed" value="1"/>
  <space id="slab" basedOn="Cartesian"><structure xSpacing="1" ySpacing="1" zSpacing="1"
    xStart="0" yStart="0" zStart="0"/></space>
  <region id="layer" space="slab"/>
  <extracellularProperties id="bath"><species id="out" ion="ca" concentrationModel="pool"
    initialConcentration="1e-4mM" initialExtConcentration="2mM"/></extracellularProperties>
  <population id="by_size" component="whole" size="2"><notes>two of them</notes>
    <property tag="color" value="1 0 0"/></population>
  <population id="by_list" component="whole" type="populationList" size="1">
    <instance id="7" i="0" j="0" k="0"><location x="1" y="2" z="3"/></instance></population>
  <population id="by_grid" component="iaf"><layout space="slab"><grid xSize="2" ySize="3"
    zSize="1"/></layout></population>
  <population id="by_chance" component="iaf"><layout space="slab"><random number="4"
    region="layer"/></layout></population>
  <population id="anywhere" component="iaf"><layout><unstructured number="5"/></layout></population>
  <population id="sources" component="poisson" size="1"/>
  <cellSet id="some" select="by_size[0]"/>
  <synapticConnection from="by_size[0]" to="by_size[1]" synapse="exp_two" destination="synapses"/>
  <synapticConnectionWD from="by_size[0]" to="by_size[1]" synapse="exp_two" weight="2" delay="1ms"/>
  <projection id="chemical" presynapticPopulation="by_size" postsynapticPopulation="by_list"
    synapse="exp_two">
    <connection id="0" preCellId="../by_size/0/whole" postCellId="../by_list/7/whole"/>
    <connectionWD id="1" preCellId="../by_size[1]" postCellId="../by_list/7/whole"
      postSegmentId="1" postFractionAlong="0.25" weight="2" delay="3ms"/></projection>
  <electricalProjection id="electrical" presynapticPopulation="by_size"
    postsynapticPopulation="by_list">
    <electricalConnection id="0" preCell="0" postCell="7" synapse="gap"/>
    <electricalConnectionInstance id="1" preCell="../by_size[0]" postCell="../by_list/7/whole"
      synapse="gap"/>
    <electricalConnectionInstanceW id="2" preCell="../by_size[0]" postCell="../by_list/7/whole"
      synapse="gap" weight="2"/></electricalProjection>
  <continuousProjection id="continuous" presynapticPopulation="by_size"
    postsynapticPopulation="by_list">
    <continuousConnection id="0" preCell="0" postCell="7" preComponent="silent"
      postComponent="graded"/>
    <continuousConnectionInstance id="1" preCell="../by_size[0]" postCell="../by_list/7/whole"
      preComponent="silent" postComponent="graded"/>
    <continuousConnectionInstanceW id="2" preCell="../by_size[0]" postCell="../by_list/7/whole"
      preComponent="silent" postComponent="graded" weight="2"/></continuousProjection>
  <explicitInput target="by_size[0]" input="pulse" destination="synapses"/>
  <inputList id="inputs" component="pulse" population="by_list">
    <input id="0" target="../by_list/7/whole" destination="synapses"/>
    <inputW id="1" target="../by_list/7/whole" destination="synapses" weight="2"
      segmentId="1" fractionAlong="0.1"/></inputList>
</network>
"""

OWN_TYPES = """
<ComponentType name="own_cell" extends="baseCellMembPot" description="A leak and nothing else">
  <Property name="weight" dimension="none" defaultValue="1"/>
  <Parameter name="C" dimension="capacitance"/>
  <DerivedParameter name="twice" dimension="capacitance" value="2 * C"/>
  <Constant name="V0" dimension="voltage" value="-60mV"/>
  <Exposure name="v" dimension="voltage"/><Requirement name="temperature" dimension="temperature"/>
  <EventPort name="spike" direction="out"/>
  <Dynamics><StateVariable name="v" dimension="voltage" exposure="v"/>
    <TimeDerivative variable="v" value="(V0 - v) / TAU"/></Dynamics></ComponentType>
<own_cell id="own" C="1pF"/>
<ComponentType name="own_synapse" extends="baseConductanceBasedSynapse">
  <Dynamics><StateVariable name="s" dimension="none"/></Dynamics></ComponentType>
<own_synapse id="own_syn" gbase="1nS" erev="-70mV"/>
"""

PARTS = (
    CHANNELS, CONCENTRATIONS, SYNAPSES, POINTS, CELLS, INPUTS, NETWORK, OWN_TYPES,
)  # fmt: skip
