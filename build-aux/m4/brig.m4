# What configure.ac needs beyond autoconf's own macros.

# BRIG_COMPILER_FLAGS(VARIABLE, FLAGS): appends those of FLAGS to VARIABLE that the compiler knows.
# -Werror makes clang refuse what it would otherwise skip with a warning.
AC_DEFUN([BRIG_COMPILER_FLAGS], [
for brig_flag in m4_normalize([$2]); do
	AS_VAR_PUSHDEF([brig_cache], [brig_cv_compiler_$brig_flag])
	AC_CACHE_CHECK([whether $CC takes $brig_flag], [brig_cache], [
		brig_saved_cflags=$CFLAGS
		CFLAGS="$CFLAGS -Werror $brig_flag"
		AC_COMPILE_IFELSE([AC_LANG_PROGRAM()], [AS_VAR_SET([brig_cache], [yes])], [AS_VAR_SET([brig_cache], [no])])
		CFLAGS=$brig_saved_cflags
	])
	AS_VAR_IF([brig_cache], [yes], [AS_VAR_APPEND([$1], [" $brig_flag"])])
	AS_VAR_POPDEF([brig_cache])
done
AC_SUBST([$1])
])

# BRIG_LIBRARY(VARIABLE, HEADER, FUNCTION, PACKAGE, DYNAMIC, [STATIC]): finds a library in the form that the programs are
# linked in and puts its -l option into VARIABLE_LIBS. STATIC is the option for its archive where that has another name.
AC_DEFUN([BRIG_LIBRARY], [
AC_CHECK_HEADER([$2], [], [AC_MSG_ERROR([$2 is missing: install $4])])
AS_IF([test "x$brig_static" = xyes], [brig_link="m4_default([$6], [$5])"; brig_form=-static],
	[brig_link="$5"; brig_form=])
AC_MSG_CHECKING([for $3 in $brig_link $brig_form])
brig_saved_libs=$LIBS
brig_saved_ldflags=$LDFLAGS
LIBS="$brig_link $LIBS"
LDFLAGS="$LDFLAGS $brig_form"
AC_LINK_IFELSE([AC_LANG_CALL([], [$3])], [AC_MSG_RESULT([yes])], [
	AC_MSG_RESULT([no])
	AS_IF([test "x$brig_static" = xyes],
		[AC_MSG_ERROR([no archive of $5 for static programs: install $4, or configure with --disable-static-programs])],
		[AC_MSG_ERROR([can't link with $5: install $4])])
])
LIBS=$brig_saved_libs
LDFLAGS=$brig_saved_ldflags
AC_SUBST([$1_LIBS], [$brig_link])
# The unit tests are linked dynamically at all times: Criterion runs each test in a process of its own with help from its
# shared library.
AC_SUBST([$1_SHARED_LIBS], ["$5"])
])

# BRIG_ENABLE(NAME, HELP): an option that is off unless asked for, as brig_NAME=yes|no.
AC_DEFUN([BRIG_ENABLE], [
AC_ARG_ENABLE([$1], [AS_HELP_STRING([--enable-$1], [$2])], [brig_[]m4_translit([$1], [-], [_])=$enableval],
	[brig_[]m4_translit([$1], [-], [_])=no])
])
