// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vfiouser;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/** A test of an IOMMU's function at a socket, with one client. */
abstract class ServedTest {

    @TempDir
    Path folder;
    Served served;
    TestClient client;

    @BeforeEach
    final void serve() throws IOException {
        served = new Served(folder);
        client = connect(served);
    }

    @AfterEach
    final void end() {
        client.close();
        served.close();
    }

    /** Connects the client, and shakes hands. */
    TestClient connect(Served with) {
        return with.connect();
    }
}
