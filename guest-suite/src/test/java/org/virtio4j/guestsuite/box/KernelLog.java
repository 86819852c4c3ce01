// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.guestsuite.box;

import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;

/** The box's kernel log, in which what is said here is in one order with what Linux says. */
final class KernelLog {

    private KernelLog() {
    }

    static void fact(String name, Object value) throws IOException {
        say("fact " + name + "=" + value);
    }

    static void say(String text) throws IOException {
        try (FileOutputStream log = new FileOutputStream("/dev/kmsg")) {
            log.write(("<1>virtio4j: " + text).getBytes(StandardCharsets.UTF_8));
        }
    }
}
