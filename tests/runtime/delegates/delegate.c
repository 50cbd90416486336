/* A TensorFlow Lite delegate as boards load it: it takes MUL by a scalar and leaves the rest.
 *
 * Its options make it do what delegates were seen to do:
 *   claim    mul (what it does without options), none
 *   load     fail
 *   prepare  fail, crash, hang, stderr
 *   answer   wrong
 *   invoke   fail, hang (as long as the file exists that the environment's HANG_FILE names)
 *
 * Only the members that are used are declared, in the order of TensorFlow Lite's C interface
 * (core/c/common.h), which says that members are only ever added at the end.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { OK = 0, ERROR = 1, DELEGATE_ERROR = 2, MUL = 18, FLOAT = 1 };

typedef struct { int size; int data[]; } Ints;

typedef struct {
    int type;
    void *data;
    Ints *dims;
    struct { float scale; int32_t zero_point; } params;
    int allocation_type;
    size_t bytes;
    const void *allocation;
    const char *name;
    void *delegate;
    int buffer_handle;
    bool data_is_stale;
    bool is_variable;
    struct { int type; void *params; } quantization;
    void *sparsity;
    const Ints *dims_signature;
} Tensor;

typedef struct {
    Ints *inputs, *outputs, *intermediates, *temporaries;
    void *user_data;
} Node;

typedef struct Context Context;

typedef struct {
    void *(*init)(Context *, const char *, size_t);
    void (*free)(Context *, void *);
    int (*prepare)(Context *, Node *);
    int (*invoke)(Context *, Node *);
    const char *(*profiling_string)(const Context *, const Node *);
    int32_t builtin_code;
    const char *custom_name;
    int version;
    void *external;
    void *async_kernel;
    uint64_t inplace;
} Registration;

typedef struct Delegate {
    void *data;
    int (*prepare)(Context *, struct Delegate *);
    void *copy_from, *copy_to, *free_buffer;
    int64_t flags;
    void *opaque;
} Delegate;

struct Context {
    size_t tensors_size;
    int (*plan)(Context *, Ints **);
    Tensor *tensors;
    void *impl;
    int (*resize)(Context *, Tensor *, Ints *);
    void (*report)(Context *, const char *, ...);
    int (*add)(Context *, int, int *);
    int (*node)(Context *, int, Node **, Registration **);
    int (*replace)(Context *, Registration, const Ints *, Delegate *);
};

/* What `init` of the delegate's kernel is given. */
typedef struct { Delegate *delegate; Ints *nodes, *inputs, *outputs; } Part;

typedef struct { char claim[8], prepare[8], answer[8], invoke[8]; } Options;

typedef struct { int count; bool wrong, fail, hang; struct { int left, right, out; } muls[]; } Kernel;

static void *kernel_init(Context *context, const char *buffer, size_t length) {
    const Part *part = (const Part *)buffer;
    const Options *options = part->delegate->data;
    Kernel *kernel = malloc(sizeof(Kernel) + part->nodes->size * sizeof(kernel->muls[0]));
    kernel->count = part->nodes->size;
    kernel->wrong = !strcmp(options->answer, "wrong");
    kernel->fail = !strcmp(options->invoke, "fail");
    kernel->hang = !strcmp(options->invoke, "hang");
    for (int i = 0; i < kernel->count; i++) {
        Node *node;
        Registration *registration;
        context->node(context, part->nodes->data[i], &node, &registration);
        kernel->muls[i].left = node->inputs->data[0];
        kernel->muls[i].right = node->inputs->data[1];
        kernel->muls[i].out = node->outputs->data[0];
    }
    return kernel;
}

static void kernel_free(Context *context, void *kernel) { free(kernel); }

static int kernel_prepare(Context *context, Node *node) { return OK; }

static int kernel_invoke(Context *context, Node *node) {
    const Kernel *kernel = node->user_data;
    if (kernel->fail) {
        context->report(context, "the test's delegate lost its device");
        return DELEGATE_ERROR;
    }
    while (kernel->hang && access(getenv("HANG_FILE"), F_OK) == 0) usleep(10000);
    for (int i = 0; i < kernel->count; i++) {
        const Tensor *left = &context->tensors[kernel->muls[i].left];
        const float by = *(const float *)context->tensors[kernel->muls[i].right].data;
        Tensor *out = &context->tensors[kernel->muls[i].out];
        for (size_t at = 0; at < out->bytes / sizeof(float); at++)
            ((float *)out->data)[at] = kernel->wrong ? 0.0f : by * ((const float *)left->data)[at];
    }
    return OK;
}

static int prepare(Context *context, Delegate *delegate) {
    const Options *options = delegate->data;
    if (!strcmp(options->prepare, "fail")) {
        context->report(context, "the test's delegate found no device");
        return DELEGATE_ERROR;
    }
    if (!strcmp(options->prepare, "crash")) abort();
    if (!strcmp(options->prepare, "stderr")) fputs("Validation error: a shader\n", stderr);
    while (!strcmp(options->prepare, "hang")) sleep(1);
    Ints *plan;
    context->plan(context, &plan);
    Ints *taken = malloc(sizeof(Ints) + plan->size * sizeof(int));
    taken->size = 0;
    for (int i = 0; i < plan->size && strcmp(options->claim, "none"); i++) {
        Node *node;
        Registration *registration;
        context->node(context, plan->data[i], &node, &registration);
        if (registration->builtin_code != MUL) continue;
        const Tensor *by = &context->tensors[node->inputs->data[1]];
        if (by->type == FLOAT && by->dims->size == 0) taken->data[taken->size++] = plan->data[i];
    }
    Registration kernel = {
        kernel_init, kernel_free, kernel_prepare, kernel_invoke, NULL, 0, "test delegate", 1,
    };
    int status = taken->size ? context->replace(context, kernel, taken, delegate) : OK;
    free(taken);
    return status;
}

Delegate *tflite_plugin_create_delegate(
    char **keys, char **values, size_t count, void (*report)(const char *)) {
    Options *options = calloc(1, sizeof(Options));
    for (size_t i = 0; i < count; i++) {
        char *slots[] = {options->claim, options->prepare, options->answer, options->invoke};
        const char *names[] = {"claim", "prepare", "answer", "invoke"};
        for (int slot = 0; slot < 4; slot++)
            if (!strcmp(keys[i], names[slot])) strncpy(slots[slot], values[i], 7);
        if (!strcmp(keys[i], "load")) {
            free(options);
            report("no device of mine is plugged in");
            return NULL;
        }
    }
    Delegate *delegate = calloc(1, sizeof(Delegate));
    delegate->data = options;
    delegate->prepare = prepare;
    return delegate;
}

void tflite_plugin_destroy_delegate(Delegate *delegate) {
    /* The interpreter's package hands over NULL where the delegate was never made. */
    if (delegate) free(delegate->data);
    free(delegate);
}
