shim_process_sources = \
	shim/process/exit_order.c \
	shim/process/exit_order.h \
	shim/process/holder.c \
	shim/process/holder.h \
	shim/process/holder_process.c \
	shim/process/holder_process.h \
	shim/process/job.c \
	shim/process/job.h \
	shim/process/lifecycle.c \
	shim/process/lifecycle.h \
	shim/process/reaper.c \
	shim/process/reaper.h \
	shim/process/state.c \
	shim/process/state.h \
	shim/process/task.c \
	shim/process/task.h \
	shim/process/task_audit.c \
	shim/process/task_audit.h \
	shim/process/task_denials.c \
	shim/process/task_denials.h \
	shim/process/task_exit.c \
	shim/process/task_exit.h \
	shim/process/task_kill.c \
	shim/process/task_kill.h \
	shim/process/task_limits.c \
	shim/process/task_limits.h \
	shim/process/task_oom.c \
	shim/process/task_oom.h \
	shim/process/task_queue.c \
	shim/process/task_queue.h \
	shim/process/task_start.c \
	shim/process/task_start.h \
	shim/process/tasks.c \
	shim/process/tasks.h \
	shim/process/tasks_query.c \
	shim/process/worker.c \
	shim/process/worker.h

folder_docs += shim/process/README.md
