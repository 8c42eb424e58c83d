/* brig's own AppArmor profile, which is in the program: seccomp-profiles/apparmor/brig-default. */
#pragma once

/* As apparmor_parser(8) reads it. Made by the build. */
extern const char apparmor_text[];
