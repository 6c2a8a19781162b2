"""What has been run on somebody's database is never changed, only followed."""

import hashlib
from pathlib import Path

import pytest

from chassis import trail, vault
from chassis.messaging import embedded, schema
from chassis.web import idempotency
from visit_api.chained import CHAINED

SERVICES = Path(__file__).parents[3] / "services"


# What has landed, in the order of revisions.
MIGRATIONS = {
    "visit_api": [
        "fe137247b8b88fc6ddcff38c0fdfd736a96fb9b791618776e7e383a7faa045de",
        "d5fd11ac5dbb40f3918728d1eaffca5de867a55712646d08ed4332cdeb909717",
        "d3ad16928d2da9d79f92b47a64669ca3aa7d78822cd18631d36200c011d25420",
        "c11b373db5381f23ee379a2e788429729641fadb785e7b04e7a54b50f6e19b7d",
        "9900841bed954d5aa5a55ed2f4fb4f6fac6b8dfab67a63117768c5041233ebf0",
        "1619331602d5ac30e0044382174fcb36df7c78d3653fbb4daf2f4935150a220c",
        "4e458365beed643f68f9800963300729c9088368ae321fc156dc52f298ee350c",
        "f959c06b069321a5f92377d7c347de970eeae0f67272740187e5f3594f6b9884",
        "adc8bbc26103b54193579a68e4ba1060c41a28c07577c8e4df8183d0403fb626",
        "34658844c791c55bf732e4209c533da8bd5e21547590cb838ee74cde5cfe1bc6",
        "171904261d304126a7d5e72b9b2cfc1363cae070d5cb63ffadb4a69814b3d27f",
        "e3c84b3dcc5b27e2661d9d44e6f13a9b58f0a928e3a5492aff9cea37db380101",
        "3662d81d914c78293f8defe836ac31234b9ec4045d218682966bce0b8ec75a87",
        "0f365b5c277ce1f6e54c8cedfbf5798863d9147ffe3b70844bb4619aa30f36e7",
        "afe89913634358b01ff76407727962b422f15bf694536546639833158e4288d2",
        "d03cd679b53583e6bd2fda2e09252bbbe88cbf126974514d953539aa4bd7ccda",
        "04a5fcb6cc3486ccd837dbab1568cef97c077eaa0b44a73e6e258ba1f92dffbe",
        "0fda5da9fd07cf13128a1f0de169c305df98a25e47ef61287159a9fa36adf4e1",
        "0636fe12beb0e7a645b03b0316721c3fbc1b5d35569eb5468b04c2a14e2e915c",
        "c063e44f87379a846bccd42708727aff0b5801d8ca3de974d7f075c1e8c0fe98",
        "2ae93ff51ffee3acbbf34cbc74da6655a54d06ea6163b0723cbe1d17e8133a10",
        "71026a9bc60a655a393b25e8c095f2e3b707c6d506043a480df3b1bcf69e61f8",
        "fce3308eadcc8b2a2fa21d4fbbfd5c0feba60e5aa9e2d3c1ac1368316bdb6991",
        "83d763dd3de11bbed30d740054230bc163c4d154efaa2365db98fdb9b57a2ecb",
        "c541ebbcc33b929d5f3acd077045fb53f5e01d2d1ea87d4235dd41bef6b26165",
        "053b55f5417659860db9effe9a2d37bbfac5423f2d2e7393d3f04add4d1155d3",
        "0e63ce9ec5aa9299f465d0d4e1a282b04ddc8ffbd8a7117144f79db42b412cd0",
        "667350632f1005531161def99a9dd38fc200e088eaa1a40d1c1dd1bf02a8cecb",
        "5672db88e70a7cd7443fd6ac1645de4180c0437873b8b73774ebe6fd4b7f79dc",
        "8bec300dde49c2cb2b5664bae931ae5623d964b955a95ceef31587a33e0bde7b",
        "3081e070cd064c3a5b53a51fec628c26a7a1eafe5ea129facf9ff794e72d6865",
        "e6e52b2b75d2d31c665582571d148e5c7498e7b09b4eb7cf1723f9f644c2fd9f",
        "a807325d11fd9c6c62ded335afcfe1e7b9098f34c33c6b31e5fd8bc52b537406",
        "b2d68194bacb08c33df9358990f32d456f15e920439c135a3756b90a4008cfc4",
        "59dc9f631639cd4524923276fbfc00adb57761075a40b048fb2ec43339c76cac",
        "ac3e758056c3b9ead92f77c760f6d3002f900311e8af077edff3bc6302fa2adf",
        "ff6a8bab3fc838fd63f789a686cf9cc8d100fa4023f6e108bc29c4e7c71af29a",
        "0ed04757924902abd782b4e8680d8fde0942efa2ae051e0074c024b9fb8f9e14",
        "b004c74350530892bfb8ae9fd8e6d185af15c4d600e18b798704731f10ac3aa2",
        "254d609680080f6a8dd33fc6979c48141a425dd826ed38c54260d600b2a450ef",
        "5b0bb007f787a1c90b3a2e39021f26e3070c64b49674e29d18dbf6e78e9c4516",
        "3f409b66d4ec4413150be2dd7242ac47ff2ccb9e7f37b70b404cbe4422165efd",
        "b3ba0f3711c19377208e37771f6f682c2a370829764ed6f11a62b1a2268348cc",
        "aea84ac4763f6acb7d2b51cb884437e364a07aabca94326d3d15844ed4744acb",
        "c8caff73b6d0c3816eea472860070380096669acd92971d896b81a34b59e7938",
        "46c547c4a3e0105aad78d15e69f4d93c845c62eef462ebc6028674d0d5906699",
        "3ed55958a20db129ec13a3b0ad8a31caa36427559a5d84d0d8839aef2918d540",
        "13e8a69f9391e06a16d2861dfd97894d30594eb55ece033fe576b974d179dbda",
        "1d07c65c5849ed31e107dfbe68a10388be1b021f91490ab06ffd1782fdb92456",
        "319c503f656c0fbed24b34bf3abfba382e57b3e575c272ff75335ce926b0c2dc",
        "9dc44bab37c688600533b2a14d26388fe5fe1b373d33e83348c3b6f2f14d1d14",
        "edc2557b52538586b230c0833a1834a0f72d655358f2a6774dad0a7509b31f72",
        "5a9f358741973918c18652c2e725565585f8633107c3f6051895619c405b791f",
        "790cc70ea3105dc2c8695a9e7359ce16d4748f4400cec6f9fb87e60492efac7e",
        "9c4e470346f10bf447ad51fdb069b6f4fb304afc5ef3356309c7204e3a235489",
        "9c72efc766348dfb586b7edbbf0a9e84a7ced1ffdf921c26fce91eb714704627",
        "42f6c6d3a5b70dd63d64d82f66cd90fd5cd305ace12564fa9538f721392d5284",
        "8b4f2da43bedc0f6135324d9d50f00190ae3789b975bd65750002e4597c39762",
        "232b05aef8952605e72cb0f430975fb442e873e6e4b05ab3698f2bfaf4f73ba6",
        "d63c68b5baae01a268634236973fd6958ce447d3be8347f5d9dd2500824223fb",
        "56dddb4a1859e2078ace126ea0b64866b76b75de7b4de28796c8d250a72d4280",
        "acb3757c7c34935ecaa4433f348c6db37c793d7f6dbb1bbf6cc7d9999af0c603",
        "a6e88e24c43e33968bcc9bfe4e5c95271e1e69066199c9488c6cbe417fe76666",
        "3c3c15803e03b837178587a9b60b2b1412e9ef0f21d3ef7e103d530f391e741f",
        "3e41991b2174ffb9c70626d7439a4d99bb15202b5f34769e3fc8b6fe8de7d496",
        "7652cee70f623fe50f0c37635473640fad7fc759578a2d804f31d567aa9c7570",
    ],
    "appeal_tracker": [
        "abf15d1e1dd9a3c13225fd93413200da872a43460ea8210558d04bc7a239510e",
        "51f21d8b3acb1d3607e22d743d3532e2b8a2b94da88b39b825facbedc8d3364b",
        "8b2d2d72f2061297d9dcfec1a1971b02b1b577b308eb47ebd47319cb3448c846",
        "fa8725f824f6709d168a4a031c726296e77f8a49d7431f8253d210b2ac4be370",
        "ef8c8dfed5cdd0b9ca7bda0a1777002882942d36930d3c557dd088bd213c7092",
        "8936481ff426d0c5affbd80f7a0dbe682bb2c85e2e4c686c34273dea5ec05db3",
        "073d64f3e483dad0061f97bb0891eaef8c563713830d3091f689e5ec25253794",
        "658b2b6c12c4345936a5d9c81a729cc95881064f5c9865d79a2068a670621acf",
        "08c0ffeebf3eeeefa04e6cfcf98457980151eb5360f8367cd6598cc8a6010140",
        "b8ec88b3c9d0be3c48af43b7169351c2959d2b7066da68e557ad8314fa08a24f",
        "47ec5995c113e6b20c82867c3663b9919ac41ee9d912ba24a8ca932309634bbf",
        "b69ef795a05db4ef13aebfb722ef809bffd6139a08b71fc86f9caa0ed7750d0b",
        "b9420c86369349939f70552fe53c4924149c22f8ea47b279704577110dc9e84f",
        "381dc84c38919ef26e6f42219cf5f11c698a1a5e9b999987ec776bdca71549c7",
        "e29248ba157fdb92338b551f63f2956180e9be80dd072a908377ca4e58096c74",
        "588f4f6a0a6d2e435c3d70613f87a1097fcbac4b57a7a8ab1e48ad40d1fb3159",
        "6c1650681c6d494226534b8d825c6d94d47a5bf1e039d439e93910b46344eee4",
        "ad4c02bac8d5cd3cd5b8aac908f96925269b8bfbd260cc0337a644665bf70d54",
        "ef575e659e1560af7c706b6d89efdeb39910de9f2041ec6e225055fa01e657ad",
        "a26e140e6497013a1c93a9eb0c8a874bb777bd65e8802bad8616541c42c30880",
        "34aae2a177fa914055352ecf44d4e815b277929f04b3940c07247a6c204cdfa7",
        "6871523bbdb228e2436c71e9455c2340a8a644042003bb74bfff73c96b0cc66d",
        "e4585af751f319a5643d65c4352333b341209a9c20ffa38253a3ce482c45261d",
        "8e7cb521c2dfaafe8c65b8fe8d99b931ed566a4f3c792470cf2c8e20650880f3",
        "630d14299a57c81c1831277ccde166a7b5966c06466f2770c3263c4f33554f41",
        "407f7bc8ea1dc1064333eef6ab45488854bcadab5f0ff754cfa6d08007d8e75e",
        "eed69e033bdaca74afe5798f7951a7eeec786989622ff6986632962507541547",
        "2b72eeaf60ba43e70bb78487871d8ee68abf56516ff55700f7eb9f08d32ae664",
        "0ac16e0edd6b73bd837b856a18225a5e40b6322d1c122631142a9d25bb7d1cc2",
        "0731d9794c470244c07aa8142541bdac3e9a1eea9ae45f5f58da1d3327ab4fa7",
        "0b278a3f1f554b968dd02de9f60db6187f80130d28f9ce48c4b6affa292cf5f6",
        "e7483945bfeac1a088699bef5071703902e39db2847a61f571b0879e12470cc3",
        "38b71bc75a7b28ffb3c98f15e32632e16559fa8d3e2fde05bec2c123f7b33cb7",
        "7bb17a8cba590f760000550c9e5446060a533413e9b4864a5daf9aa57ba350c5",
    ],
    "notifier": [
        "e9634add115b58bd30a1cdd5abfa06b8fd9df9e43a524b1b34ee68ed7e9fee8a",
        "82eb02256030050977f8a56661e5b8c9ac924680797220fa3703e09ccc4b9979",
        "64484281ea3af0ea0ef6023ebb3b4c7a8175990b84b8433fef206fbf19801a78",
        "2e7acb337032882ded6e034cdd4ccd627be26ae55c5f1f64e8c37a9d1f9c015e",
        "b524c667f85cc6ff7b41e32ad209df80ffeb68ed20d2b5490e3e0cc267df7f91",
        "d81e28e4cec68685d854765b179cbe128b8f4fb222aea949408e49812a9d7220",
        "03a56162a21f1eed228511ff1525aa727f2a4be7957035394c8f2b17da10f22e",
        "2f66c382b0587b5adb1691e8b95107911ce3b19f75ac811d0c32d7381a52487f",
        "daeb771f695ee3aa93e6b925414711b0bb43dd8cc2bc02516378c0c8ff1d1e2d",
        "61391ef68b120b1323f301f4e7a6b0831eca09549cc0f72a2c4bc8df97698fb4",
        "5af2e88d36665a000a0383d365f2119772892fbe55eaf95e0876ebdd8b38ec04",
        "7bd42c147ee16dd3786683e813e00254cc9d64adefa33b5a96f49006f281021e",
        "03d6dcc592a2b9ed560aef7942c1e91914dc0134221839eecfcba877d9201a38",
        "f367b97dee0d1e534fed8c037722deedf7c55539bd175f117caa7b606e03c5a5",
        "a6ca0b52365d35fcff6fc60d86a183d3b7db762097cc145516657dc6f8b5eedb",
        "db669375555cb6db7488329dc163d181fe474af055bd661ea197de60802b77d8",
        "016add06a465f73cd9607f8c294f3325b1800b7522c7825333601a06ae68a163",
        "056478dd4c34d38b40a59f138a86172cda4f6269697a240d49fe6bb3ffeb1478",
        "e99b43f84d8c73a94091e0ac56d2ffaeac33a704a9b026aac0eedfe2736ab7ad",
        "76bbbf2e776db61ae25036d868ed46e867fa3bbc797c39a19caa9b1f4db36ade",
        "2e22f00547ad7528a3606b5130cac27421e623b9e8aa052869b36bcf83a6c580",
        "f5594eb6e0b23b3dc7dc442be3527d43f5f135196350f5ef95305043753dbb4c",
        "c5b270643c5a5529cfb7b338d413eb25f61768f0ff205c24a7a53fc6726e9d08",
        "283672557a83b27baf36c916040e0c7ca01ba5d03ef73f3a6314da043da83c86",
    ],
}
BUS = ["9f41899cb75c488f8d73858049c51111d657b279f52bc6a93c82ad494f21bc2a"]


def migrations(service: str) -> list[Path]:
    return sorted((SERVICES / service / "migrations" / "versions").glob("*.py"))


# Migrations run the first six.
FROZEN = {
    "schema.MESSAGING": (schema.MESSAGING, "915d3cce3e6fe6f708c1c4398a5de30ec378aa86c1919a2eadfc6fbcb705b77c"),
    "schema.OUTBOX_REFUSED": (
        schema.OUTBOX_REFUSED,
        "5476a5cc2ef91c4d23680fc24b8f0d22d9d98f886c9063d31e2d934a58e9c8ec",
    ),
    "idempotency.DDL": (idempotency.DDL, "a1b4e380fafa358c86ab4e0db7b8ab97e762cbcfcad113d8b0a5c0b2585398cb"),
    "idempotency.SEALED_DDL": (
        idempotency.SEALED_DDL,
        "3d626ed9afc2df9f86b309e2b03cb9549df0fb9abf35f7e6d313e1de1d935b80",
    ),
    "vault.DDL": (vault.DDL, "fb718e5ce9c1246f6b505519328ce03ee6f1fca7b22514d2fc4d89d2b44c7ec6"),
    "trail.DDL": (trail.DDL, "7bf9a586b7f4aa02faeca1033d685700d5f1c2025ee306d39e674953f2f86755"),
    **{
        f"{path.stem} of {service}": (path.read_text(), digest)
        for service, digests in MIGRATIONS.items()
        for path, digest in zip(migrations(service), digests, strict=False)
    },
    **{
        f"embedded.REVISIONS[{place}]": (script, digest)
        for place, (script, digest) in enumerate(zip(embedded.REVISIONS, BUS, strict=True))
    },
}


@pytest.mark.parametrize("name", FROZEN)
def test_a_script_that_was_run_stays_as_it_was(name: str) -> None:
    script, digest = FROZEN[name]
    assert hashlib.sha256(script.encode()).hexdigest() == digest, (
        f"{name} has been run on databases that exist, and is not run again: put it back, and write the change as a new"
        " migration of each service (0002_….py, …), or as one more of embedded.REVISIONS"
    )


# By which rows of somebody's archive and trail were chained.
FORMS = {
    "archive_entries 1": "f0fff9b7e14a41798eb1354be3c886b4ef2f01b564770384a09c7607be3749cf",
    "archive_entries 2": "ed72dc0290c3fb4078fba8c33bc194881f6a4110bd499d473280f89f47d5384e",
    "archive_entries 3": "1fc1ddb86da5f1a35037e00abdf0a681732b3de9946fbaf4cefd7124c9d71baa",
    "archive_gap_reasons 1": "f6d84796dbcebf259318af106320a524df09680306a22c2bda9673ca6497e10f",
    "archive_gap_reasons 2": "e48e9240e94f5df091983da8e110faad9c2bb5801dbdd1caec5523bb678d5960",
    "archive_rules 1": "25176f375b5fa6e15fa96124a4a02e40d2fdc48eb905895c9ee7263e968c8294",
    "archive_holds 1": "bcb0fc4507b1796cc42d3f74cc1b52e0aa0bb60a46b909fcbbb056e285c30564",
    "archive_holds 2": "dae85d8bb15502718ed77ca4bc63d96055cc64a99e75dea047ac981b7e504b28",
    "trail 1": "d8476c32217b220d44a2836a39e3fc16ae75e8c7a18f95689c6196018ff77b7a",
}


def test_a_form_by_which_rows_were_chained_stays_as_it_was() -> None:
    forms = {
        f"{source.table} {form}": hashlib.sha256(" ".join(columns).encode()).hexdigest()
        for source in CHAINED
        for form, columns in source.forms.items()
    }
    assert forms == FORMS, (
        "what somebody's rows were chained by is what they are verified by: put it back, and write the change as one"
        " form more"
    )


@pytest.mark.parametrize("service", MIGRATIONS)
def test_what_has_landed_is_still_there(service: str) -> None:
    assert len(migrations(service)) >= len(MIGRATIONS[service])
