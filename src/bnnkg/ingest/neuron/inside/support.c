/* What runs beside a model inside the sandbox, in place of native code of its author.

   Stub mechanisms are registered from a table of their declarations (see stubs.py), so that
   ranges, globals, ions, pointers and NET_RECEIVE arities are those of the author's mods, and
   no line of them is compiled. Built-ins that would end or leave the load are replaced.

   The table holds one declaration per line, its words separated by one space:

     density|point|artificial|nothing SUFFIX
     parameter NAME SIZE VALUE | assigned NAME SIZE | state NAME SIZE | pointer NAME
     ion NAME VALENCE PROMOTE_CONCENTRATION PROMOTE_REVERSAL
     global NAME VALUE | vector NAME SIZE VALUE
     function NAME VALUE                (the name that hoc knows, and what it returns)
     receive N_ARGUMENTS
     event                              (it calls net_event)
     end
*/
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <stdio.h>
#include "mech_api.h"
#undef PI
#include "md1redef.h"
#include "section.h"
#include "nrniv_mf.h"
#include "md2redef.h"

#define MAX_IONS 64
#define MAX_TRAMPOLINES 512 /* what the macros below write out */

typedef struct {
    char *name;
    int size;
    double value;
} Range;

typedef struct {
    Symbol *symbol;
    char *name;
    int promote_concentration, promote_reversal;
} Ion;

typedef struct {
    char kind[16];
    char *name;
    int type, point_type;
    Range *ranges;
    int n_ranges, n_values;
    int first_state, first_assigned;
    int n_pointers, first_datum;
    Ion ions[MAX_IONS];
    int n_ions;
} Mechanism;

#define MAX_TYPES 4096
static Mechanism *mechanisms[MAX_TYPES], *by_type[MAX_TYPES];
static int n_mechanisms;
static const char *table_path;

typedef struct {
    const char *name;
    double result;
    int times;
} Call;
static Call calls[2 * MAX_TRAMPOLINES];
static int n_void, n_member;

extern Prop *need_memb(Symbol *);
extern void nrn_promote(Prop *, int, int);
extern Prop *nrn_point_prop_;
extern void *create_point_process(int, Object *);
extern void destroy_point_process(void *);
extern double loc_point_process(int, void *);
extern double has_loc_point(void *);
extern double get_loc_point_process(void *);
extern void hoc_register_prop_size(int, int, int);
extern void _nrn_setdata_reg(int, void (*)(Prop *));
extern Symbol *hoc_lookup(const char *);
extern Symbol *hoc_table_lookup(const char *, Symlist *);
extern void hoc_retpushx(double);
extern int ifarg(int);
extern int hoc_is_str_arg(int);

/* ---- calls of functions that were emptied: hoc must not learn a value from them unnoticed ---- */

static double called(int i) {
    calls[i].times++;
    return calls[i].result;
}

#define EACH8(M, n) M(n##0) M(n##1) M(n##2) M(n##3) M(n##4) M(n##5) M(n##6) M(n##7)
#define EACH64(M, n) \
    EACH8(M, n##0) EACH8(M, n##1) EACH8(M, n##2) EACH8(M, n##3) \
    EACH8(M, n##4) EACH8(M, n##5) EACH8(M, n##6) EACH8(M, n##7)
#define EACH512(M) \
    EACH64(M, 00) EACH64(M, 01) EACH64(M, 02) EACH64(M, 03) \
    EACH64(M, 04) EACH64(M, 05) EACH64(M, 06) EACH64(M, 07)
#define VOID_FUNCTION(n) static void void_##n(void) { hoc_retpushx(called(n)); }
#define MEMBER_FUNCTION(n) \
    static double member_##n(void *point) { (void)point; return called(MAX_TRAMPOLINES + n); }
#define VOID_NAME(n) void_##n,
#define MEMBER_NAME(n) member_##n,
EACH512(VOID_FUNCTION)
EACH512(MEMBER_FUNCTION)
static void (*void_functions[])(void) = {EACH512(VOID_NAME)};
static double (*member_functions[])(void *) = {EACH512(MEMBER_NAME)};

int bnnkg_n_calls(void) { return 2 * MAX_TRAMPOLINES; }
const char *bnnkg_call_name(int i) { return calls[i].times ? calls[i].name : NULL; }

/* ---- what NEURON calls of a mechanism ---- */

static Mechanism *of_type(int type) {
    if (!by_type[type]) hoc_execerror("a mechanism was used before it was registered", 0);
    return by_type[type];
}

static Mechanism *of_object(Object *object) {
    for (int i = 0; i < n_mechanisms; i++)
        if (mechanisms[i]->point_type == object->template->is_point_) return mechanisms[i];
    hoc_execerror("a point process of an unknown kind", object->template->sym->name);
    return NULL;
}

static void allocate(Prop *prop) {
    Mechanism *mechanism = of_type(prop->_type);
    if (nrn_point_prop_) {
        prop->_alloc_seq = nrn_point_prop_->_alloc_seq;
        prop->param = nrn_point_prop_->param;
        prop->dparam = nrn_point_prop_->dparam;
    } else {
        double *value = nrn_prop_data_alloc(prop->_type, mechanism->n_values, prop);
        prop->param = value;
        for (int i = 0; i < mechanism->n_ranges; i++)
            for (int j = 0; j < mechanism->ranges[i].size; j++)
                *value++ = mechanism->ranges[i].value;
        int n_data = mechanism->first_datum + mechanism->n_pointers;
        if (n_data) prop->dparam = nrn_prop_datum_alloc(prop->_type, n_data, prop);
    }
    prop->param_size = mechanism->n_values;
    for (int i = 0; i < mechanism->n_ions; i++) {
        Ion *ion = &mechanism->ions[i];
        nrn_promote(need_memb(ion->symbol), ion->promote_concentration, ion->promote_reversal);
    }
}

static void set_data(Prop *prop) { (void)prop; }

static void initialize(NrnThread *thread, _Memb_list *list, int type) {
    (void)thread, (void)list, (void)type;
}

static void receive(Point_process *point, double *arguments, double flag) {
    (void)point, (void)arguments, (void)flag;
}

static void *create_point(Object *object) {
    return create_point_process(of_object(object)->point_type, object);
}

static double place_point(void *point) {
    return loc_point_process(of_object(((Point_process *)point)->ob)->point_type, point);
}

/* ---- reading the table ---- */

static FILE *table;
static char line[4096];
static char *words[8];
static int n_words;

static int next_line(void) {
    if (!fgets(line, sizeof line, table)) return 0;
    n_words = 0;
    for (char *word = strtok(line, " \n"); word && n_words < 8; word = strtok(NULL, " \n"))
        words[n_words++] = word;
    return n_words > 0;
}

static void read_range(Mechanism *mechanism) {
    mechanism->ranges =
        realloc(mechanism->ranges, (mechanism->n_ranges + 1) * sizeof *mechanism->ranges);
    Range *range = &mechanism->ranges[mechanism->n_ranges++];
    range->name = strdup(words[1]);
    range->size = atoi(words[2]);
    range->value = n_words > 3 ? strtod(words[3], NULL) : 0.;
    mechanism->n_values += range->size;
}

static void read_ion(Mechanism *mechanism) {
    if (mechanism->n_ions == MAX_IONS) return;
    Ion *ion = &mechanism->ions[mechanism->n_ions++];
    ion->name = strdup(words[1]);
    ion_reg(ion->name, strtod(words[2], NULL));
    char full[256];
    snprintf(full, sizeof full, "%s_ion", ion->name);
    ion->symbol = hoc_lookup(full);
    ion->promote_concentration = atoi(words[3]);
    ion->promote_reversal = atoi(words[4]);
}

static double *new_values(int n, double value) {
    double *values = malloc(n * sizeof *values);
    for (int i = 0; i < n; i++) values[i] = value;
    return values;
}

static void define_scalar(const char *name, double value) {
    DoubScal *scalars = calloc(2, sizeof *scalars);
    scalars[0].name = strdup(name);
    scalars[0].pdoub = new_values(1, value);
    hoc_register_var(scalars, calloc(1, sizeof(DoubVec)), calloc(1, sizeof(VoidFunc)));
}

static void define_vector(const char *name, int size, double value) {
    DoubVec *vectors = calloc(2, sizeof *vectors);
    vectors[0].name = strdup(name);
    vectors[0].pdoub = new_values(size, value);
    vectors[0].index1 = size;
    hoc_register_var(calloc(1, sizeof(DoubScal)), vectors, calloc(1, sizeof(VoidFunc)));
}

static void define_void_function(const char *name, double result) {
    int i = n_void < MAX_TRAMPOLINES - 1 ? n_void++ : MAX_TRAMPOLINES - 1;
    VoidFunc *functions = calloc(2, sizeof *functions);
    calls[i].name = functions[0].name = strdup(name);
    calls[i].result = result;
    functions[0].func = void_functions[i];
    hoc_register_var(calloc(1, sizeof(DoubScal)), calloc(1, sizeof(DoubVec)), functions);
}

typedef struct {
    char *names[1024];
    double results[1024];
    int n;
} Names;

static Member_func *member_table(Names *names) {
    Member_func *members = calloc(names->n + 4, sizeof *members);
    members[0].name = "loc", members[0].member = place_point;
    members[1].name = "has_loc", members[1].member = has_loc_point;
    members[2].name = "get_loc", members[2].member = get_loc_point_process;
    for (int k = 0; k < names->n; k++) {
        int i = n_member < MAX_TRAMPOLINES - 1 ? n_member++ : MAX_TRAMPOLINES - 1;
        calls[MAX_TRAMPOLINES + i].name = members[3 + k].name = names->names[k];
        calls[MAX_TRAMPOLINES + i].result = names->results[k];
        members[3 + k].member = member_functions[i];
    }
    return members;
}

/* version, suffix, then the names of parameters, assigned, states and pointers, each ended by 0 */
static const char **name_table(Mechanism *mechanism, Names *pointers) {
    const char **names = calloc(mechanism->n_ranges + pointers->n + 8, sizeof *names);
    int k = 0;
    names[k++] = "7.7.0";
    names[k++] = mechanism->name;
    for (int i = 0; i < mechanism->n_ranges; i++) {
        if (i == mechanism->first_assigned) names[k++] = 0;
        if (i == mechanism->first_state) names[k++] = 0;
        Range *range = &mechanism->ranges[i];
        char full[512];
        snprintf(full, sizeof full, range->size > 1 ? "%s[%d]" : "%s", range->name, range->size);
        names[k++] = strdup(full);
    }
    if (mechanism->first_assigned == mechanism->n_ranges) names[k++] = 0;
    if (mechanism->first_state == mechanism->n_ranges) names[k++] = 0;
    names[k++] = 0;
    for (int i = 0; i < pointers->n; i++) names[k++] = pointers->names[i];
    return names;
}

static void register_kind(Mechanism *mechanism, Names *members, Names *pointers) {
    const char **names = name_table(mechanism, pointers);
    int is_density = !strcmp(mechanism->kind, "density");
    int pointer_index = pointers->n ? mechanism->first_datum : -1;
    mechanism->n_pointers = pointers->n;
    if (is_density)
        register_mech(names, allocate, NULL, NULL, NULL, initialize, pointer_index, 1);
    else
        mechanism->point_type = point_register_mech(
            names, allocate, NULL, NULL, NULL, initialize, pointer_index, 1, create_point,
            destroy_point_process, member_table(members));
    mechanism->type = nrn_get_mechtype(mechanism->name);
    if (mechanism->type < 0 || mechanism->type >= MAX_TYPES)
        hoc_execerror("too many mechanisms, at", mechanism->name);
    mechanisms[n_mechanisms++] = by_type[mechanism->type] = mechanism;
    _nrn_setdata_reg(mechanism->type, set_data);
    hoc_register_prop_size(
        mechanism->type, mechanism->n_values, mechanism->first_datum + pointers->n);
    if (!is_density) {
        hoc_register_dparam_semantics(mechanism->type, 0, "area");
        hoc_register_dparam_semantics(mechanism->type, 1, "pntproc");
    }
    for (int i = 0; i < pointers->n; i++)
        hoc_register_dparam_semantics(mechanism->type, mechanism->first_datum + i, "pointer");
    if (!strcmp(mechanism->kind, "artificial")) {
        hoc_register_dparam_semantics(mechanism->type, 2, "netsend");
        add_nrn_artcell(mechanism->type, 2);
    }
}

static void register_one(void) {
    Mechanism *mechanism = calloc(1, sizeof *mechanism);
    Names members = {.n = 0}, pointers = {.n = 0};
    int n_arguments = -1, event = 0;
    snprintf(mechanism->kind, sizeof mechanism->kind, "%s", words[0]);
    mechanism->name = strdup(words[1]);
    mechanism->type = mechanism->point_type = -1;
    int is_density = !strcmp(mechanism->kind, "density");
    int is_nothing = !strcmp(mechanism->kind, "nothing");
    mechanism->first_datum = !strcmp(mechanism->kind, "artificial") ? 3 : is_density ? 0 : 2;
    while (next_line() && strcmp(words[0], "end")) {
        if (!strcmp(words[0], "parameter")) {
            read_range(mechanism);
            mechanism->first_assigned = mechanism->first_state = mechanism->n_ranges;
        } else if (!strcmp(words[0], "assigned")) {
            read_range(mechanism);
            mechanism->first_state = mechanism->n_ranges;
        } else if (!strcmp(words[0], "state"))
            read_range(mechanism);
        else if (!strcmp(words[0], "pointer") && pointers.n < 1024)
            pointers.names[pointers.n++] = strdup(words[1]);
        else if (!strcmp(words[0], "ion"))
            read_ion(mechanism);
        else if (!strcmp(words[0], "global"))
            define_scalar(words[1], strtod(words[2], NULL));
        else if (!strcmp(words[0], "vector"))
            define_vector(words[1], atoi(words[2]), strtod(words[3], NULL));
        else if (!strcmp(words[0], "receive"))
            n_arguments = atoi(words[1]);
        else if (!strcmp(words[0], "event"))
            event = 1;
        else if (is_density || is_nothing)
            define_void_function(words[1], strtod(words[2], NULL));
        else if (members.n < 1024) {
            members.results[members.n] = strtod(words[2], NULL);
            members.names[members.n++] = strdup(words[1]);
        }
    }
    if (is_nothing) return;
    register_kind(mechanism, &members, &pointers);
    if (n_arguments >= 0) {
        pnt_receive[mechanism->type] = receive;
        pnt_receive_size[mechanism->type] = n_arguments;
    }
    if (event) add_nrn_has_net_event(mechanism->type);
}

void bnnkg_use_table(const char *path) { table_path = strdup(path); }

/* The name that NEURON looks for in a library of mechanisms. */
void modl_reg(void) {
    if (!table_path || !(table = fopen(table_path, "r"))) return;
    while (next_line()) register_one();
    fclose(table);
}

/* ---- built-ins of hoc that would end or leave the load ---- */

static int replace(const char *name, void (*function)(void)) {
    Symbol *symbol = hoc_lookup(name);
    if (!symbol || !symbol->u.u_proc) return 0;
    symbol->u.u_proc->defn.pf = function;
    return 1;
}

static int replace_member(const char *class, const char *name, double (*function)(void *)) {
    Symbol *symbol = hoc_lookup(class);
    Symbol *member = symbol ? hoc_table_lookup(name, symbol->u.ctemplate->symtable) : NULL;
    if (!member || !member->u.u_proc) return 0;
    member->u.u_proc->defn.pfd_vp = function;
    return 1;
}

static int quit_was_called;
static FILE *buttons;

static void quit(void) {
    quit_was_called = 1;
    hoc_execerror("quit()", "called by the model");
}

static void ignore_library(void) { hoc_retpushx(1.); }

/* Currents of stubs are zero: what a model computes from them is not what the author's would be. */
static int n_fcurrent;
static void (*original_fcurrent)(void);

static void fcurrent(void) {
    n_fcurrent++;
    original_fcurrent();
}

int bnnkg_n_fcurrent(void) { return n_fcurrent; }

static void write_text(const char *text) {
    for (; *text; text++) putc(*text == '\n' || *text == '\t' ? ' ' : *text, buttons);
}

/* A button shows its label and holds a statement: kept, to be run where nothing else loads. */
static void button(void) {
    if (buttons && ifarg(2) && hoc_is_str_arg(1) && hoc_is_str_arg(2)) {
        write_text(hoc_gargstr(1));
        putc('\t', buttons);
        write_text(hoc_gargstr(2));
        putc('\n', buttons);
        fflush(buttons);
    }
    hoc_retpushx(0.);
}

/* A graph without a view is one whose window was closed, and stdrun's initPlot() drops it. Without
   a display none has a view, and a model that names Graph[1] later would not find it. */
static double one_view(void *graph) {
    (void)graph;
    return 1.;
}

/* Time is up: hoc stops at its next statement, Python at its next instruction. */
extern int hoc_intset;
static void (*interrupt_python)(void);

static void time_is_up(int number) {
    (void)number;
    hoc_intset = 1;
    if (interrupt_python) interrupt_python();
}

void bnnkg_interrupt_on(int number, void (*interrupt)(void)) {
    interrupt_python = interrupt;
    signal(number, time_is_up);
}

/* The first time step: everything that advances time calls back instead, and nothing is advanced.
   (CVode's extra_scatter_gather is no such place: cvode.active and finitialize call it too.) */
static void (*first_step)(void);

static void advance(void) {
    first_step();
    hoc_retpushx(0.);
}

static double advance_object(void *object) {
    (void)object;
    first_step();
    return 0.;
}

int bnnkg_at_first_step(void (*callback)(void)) {
    first_step = callback;
    return replace("fadvance", advance) + replace("batch_run", advance) +
           replace_member("CVode", "solve", advance_object) +
           replace_member("ParallelContext", "psolve", advance_object) +
           replace_member("ParallelContext", "nrncore_run", advance_object);
}

int bnnkg_quit_was_called(void) { return quit_was_called; }

int bnnkg_guard(const char *button_path) {
    buttons = fopen(button_path, "w");
    Symbol *symbol = hoc_lookup("fcurrent");
    if (!symbol) return 0;
    original_fcurrent = symbol->u.u_proc->defn.pf;
    return replace("fcurrent", fcurrent) + replace("quit", quit) +
           replace("nrn_load_dll", ignore_library) + replace("xbutton", button) +
           replace_member("Graph", "view_count", one_view);
}

/* Values that ParallelContext's source_var/target_var carry, from source to target. */
extern void (*nrnmpi_v_transfer_)(void);
extern void (*nrnthread_v_transfer_)(NrnThread *);

int bnnkg_transfer(void) {
    if (!nrnthread_v_transfer_) return 0;
    if (nrnmpi_v_transfer_) nrnmpi_v_transfer_();
    for (int i = 0; i < nrn_nthread; i++) nrnthread_v_transfer_(nrn_threads + i);
    return 1;
}
