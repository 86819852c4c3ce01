// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.dma.translate;

/**
 * What a {@link Translator} says to one access. Everything but {@link #OK} is a fault of the device or of its driver.
 */
public enum TranslateResult {
    /** Allowed; the extent was handed to the sink. */
    OK,
    /** The device is attached to nothing and may not bypass translation. */
    NO_DOMAIN,
    /** Nothing is mapped at the address. */
    NO_MAPPING,
    /** Something is mapped there, but not for this kind of access. */
    NOT_PERMITTED
}
