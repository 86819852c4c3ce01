// SPDX-License-Identifier: Apache-2.0

/**
 * Reads the configuration of one or several machines. {@link org.virtio4j.serving.config.ConfigFile} knows the two
 * formats, their tables and keys, and the places where they stand; {@link org.virtio4j.serving.config.MachineReader}
 * knows what they mean ({@code docs/qemu.md}). What cannot be used is named with its place. Nothing is opened or made
 * here: the result is a plan.
 */
@NullMarked
package org.virtio4j.serving.config;

import org.jspecify.annotations.NullMarked;
