import { ensureTestImage, TEST_IMAGES, type TestImage } from "../../scripts/test-image.ts";
import { createDockerClient, type DockerClient } from "../../src/machine/docker/docker.ts";

/** What a daemon gives to tests, each image made when it is missing. */
export interface TestDocker {
  client: DockerClient;
  /** Names of images; see `scripts/test-image.ts`. */
  images: typeof TEST_IMAGES;
}

/**
 * @param images that the tests need
 * @returns undefined, and says so, where no daemon answers
 * @throws Error instead, where every part is required (`DYNAMIC_MCP_REQUIRE_PARTS=1`)
 */
export async function testDocker(...images: TestImage[]): Promise<TestDocker | undefined> {
  const client = createDockerClient(
    process.env["DOCKER_HOST"] === undefined ? {} : { host: process.env["DOCKER_HOST"] },
  );
  try {
    await client.ping();
  } catch (error) {
    if (process.env["DYNAMIC_MCP_REQUIRE_PARTS"] === "1") throw error;
    process.stderr.write(`skipped, no Docker daemon: ${(error as Error).message}\n`);
    return undefined;
  }
  for (const image of images) await ensureTestImage(client, image);
  return { client, images: TEST_IMAGES };
}
