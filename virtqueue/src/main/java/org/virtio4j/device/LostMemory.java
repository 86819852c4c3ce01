// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.device;

/** Tells the JVM's error for memory that a file has no bytes for any more from others of the same class. */
final class LostMemory {

    /** How the JVM's message begins, in all versions from JDK 22 on. There is nothing else to tell it by. */
    private static final String FAULT = "a fault occurred in ";

    private LostMemory() {
    }

    /** Whether memory was cut short; anything else that is thrown is a mistake of the code that threw it. */
    static boolean is(Throwable thrown) {
        String message = thrown instanceof InternalError ? thrown.getMessage() : null;
        return message != null && message.startsWith(FAULT);
    }
}
