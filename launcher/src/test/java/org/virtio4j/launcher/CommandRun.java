// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.launcher;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.virtio4j.command.Interruption;

/** What a command printed and how it ended. */
record CommandRun(int status, String out, String err) {

    static CommandRun of(String... args) {
        return of(new Interruption(), args);
    }

    static CommandRun of(Interruption interruption, String... args) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        int status = Main.run(List.of(args), new PrintStream(out, true, StandardCharsets.UTF_8),
                new PrintStream(err, true, StandardCharsets.UTF_8), interruption);
        return new CommandRun(status, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
    }

    /** A replay without warming up. */
    static CommandRun replay(Object... args) {
        String[] all = new String[args.length + 3];
        all[0] = "replay";
        all[1] = "--warm-up";
        all[2] = "0";
        for (int i = 0; i < args.length; i++) {
            all[i + 3] = args[i].toString();
        }
        return of(all);
    }
}
