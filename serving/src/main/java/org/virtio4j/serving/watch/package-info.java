// SPDX-License-Identifier: Apache-2.0

/**
 * What the user of a machine should know, in words: what a device refuses, which thread waits for which reader, how
 * long answers take. Devices tell it on their threads, and {@link org.virtio4j.serving.watch.Notices} keeps it until it
 * is asked for. What a guest can cause over and over again is joined to few lines.
 */
@NullMarked
package org.virtio4j.serving.watch;

import org.jspecify.annotations.NullMarked;
