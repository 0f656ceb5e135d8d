/* SPDX-License-Identifier: MIT */
/* immure-main as bytes: whoever copies immure alone has it all the same. IMAGE is its file. */
	.section .rodata
	.global main_program
main_program:
	.incbin IMAGE
end:
	.balign 4
	.global main_program_size
main_program_size:
	.long end - main_program
	.section .note.GNU-stack, "", %progbits
