runtime_image_sources = \
	runtime/image/archive.c \
	runtime/image/archive.h \
	runtime/image/choose.c \
	runtime/image/choose.h \
	runtime/image/decoder.c \
	runtime/image/decoder.h \
	runtime/image/digest.c \
	runtime/image/digest.h \
	runtime/image/document.c \
	runtime/image/document.h \
	runtime/image/entry_name.c \
	runtime/image/entry_name.h \
	runtime/image/gunzip.c \
	runtime/image/gunzip.h \
	runtime/image/image.c \
	runtime/image/image.h \
	runtime/image/layer.c \
	runtime/image/layer.h \
	runtime/image/layout.c \
	runtime/image/layout.h \
	runtime/image/pace.h \
	runtime/image/seen.c \
	runtime/image/seen.h \
	runtime/image/tar.c \
	runtime/image/tar.h \
	runtime/image/tar_header.c \
	runtime/image/tar_header.h \
	runtime/image/tar_pax.c \
	runtime/image/tar_pax.h \
	runtime/image/tree.c \
	runtime/image/tree.h \
	runtime/image/tree_internal.h \
	runtime/image/tree_make.c \
	runtime/image/tree_remove.c \
	runtime/image/unzstd.c \
	runtime/image/unzstd.h \
	runtime/image/window.h

folder_docs += runtime/image/README.md
