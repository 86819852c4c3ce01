// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.trace;

/** What became of a recorded translation. */
public enum TranslationKind {
    /** The access went to {@link TraceEvent.Translate#address()}, in version 1 and 2 written as that address. */
    ADDRESS,
    /** {@code m}: the access hit the doorbell of message-signalled interrupts and went on untranslated. */
    MSI,
    /** {@code b}: the endpoint was in bypass; the access went on untranslated. */
    BYPASS,
    /** {@code f}: the access was refused. */
    FAULT
}
