#ifndef GATEHOUSE_CEDIT_H
#define GATEHOUSE_CEDIT_H

#include <stdio.h>
#include <histedit.h>

// libedit's main functions are variadic, which Swift cannot call. Each function here wraps one call with fixed
// arguments.

// An editor on the standard streams, which are global variables in C.
static inline EditLine *cedit_init(const char *program) { return el_init(program, stdin, stdout, stderr); }

typedef char *(*cedit_prompt)(EditLine *);
typedef unsigned char (*cedit_function)(EditLine *, int);

static inline void cedit_set_prompt(EditLine *edit, cedit_prompt prompt) {
  el_set(edit, EL_PROMPT_ESC, prompt, '\1');
}

static inline void cedit_set_right_prompt(EditLine *edit, cedit_prompt prompt) {
  el_set(edit, EL_RPROMPT_ESC, prompt, '\1');
}

static inline void cedit_set_editor(EditLine *edit, const char *name) { el_set(edit, EL_EDITOR, name); }

static inline void cedit_set_signal_handling(EditLine *edit, int on) { el_set(edit, EL_SIGNAL, on); }

static inline void cedit_add_function(EditLine *edit, const char *name, const char *help, cedit_function function) {
  el_set(edit, EL_ADDFN, name, help, function);
}

static inline void cedit_bind(EditLine *edit, const char *key, const char *function) {
  el_set(edit, EL_BIND, key, function, NULL);
}

static inline void cedit_set_client_data(EditLine *edit, void *data) { el_set(edit, EL_CLIENTDATA, data); }

static inline void *cedit_client_data(EditLine *edit) {
  void *data = NULL;
  el_get(edit, EL_CLIENTDATA, &data);
  return data;
}

static inline void cedit_set_history(EditLine *edit, History *past) { el_set(edit, EL_HIST, history, past); }

static inline void cedit_history_set_size(History *past, int size) {
  HistEvent event;
  history(past, &event, H_SETSIZE, size);
}

static inline void cedit_history_set_unique(History *past, int on) {
  HistEvent event;
  history(past, &event, H_SETUNIQUE, on);
}

static inline void cedit_history_enter(History *past, const char *line) {
  HistEvent event;
  history(past, &event, H_ENTER, line);
}

#endif
