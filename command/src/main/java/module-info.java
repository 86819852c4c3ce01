// SPDX-License-Identifier: Apache-2.0

/** What the main of every program needs: options, exit statuses, output files, interruption, JSON text. */
module org.virtio4j.command {
    requires static org.jspecify;

    exports org.virtio4j.command;
}
