// SPDX-License-Identifier: Apache-2.0

/** What the main of every program needs: its command line, exit statuses, output files, interruption, JSON output. */
module org.virtio4j.command {
    requires transitive com.fasterxml.jackson.core;
    requires static org.jspecify;
    requires transitive info.picocli;

    exports org.virtio4j.command;
}
