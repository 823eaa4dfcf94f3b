"""Queries and mutations of the tournament API, as its own clients send them."""

CURRENT_ROUND = """
query ($tournament: Int!) {
  rounds(tournament: $tournament number: 0) {
    number openTime closeStakingTime resolveTime
  }
}
"""
ROUNDS = """
query ($tournament: Int $limit: Int) {
  rounds(tournament: $tournament limit: $limit) {
    number openTime closeStakingTime resolveTime
  }
}
"""
MODELS = "query { account { models { id name tournament } } }"
TOKEN = "query { apiTokenInfo { name publicId scopes } }"  # noqa: S105 - no token
SUBMISSIONS = """
query ($modelId: String) {
  model(modelId: $modelId) {
    submissions { id filename selected insertedAt round { tournament number } }
  }
}
"""
DOWNLOAD = """
query ($id: String) { submissionDownloadAuth(id: $id) { filename url } }
"""
UPLOAD = """
query ($filename: String! $tournament: Int! $modelId: String) {
  submission_upload_auth(filename: $filename tournament: $tournament modelId: $modelId) {
    filename url
  }
}
"""
CREATE = """
mutation ($filename: String! $tournament: Int! $modelId: String $triggerId: String) {
  create_submission(
    filename: $filename tournament: $tournament modelId: $modelId triggerId: $triggerId
    source: "numerapi"
  ) { id }
}
"""
SCORES = """
query ($modelId: ID! $tournament: Int $lastNRounds: Int) {
  submissionScores(modelId: $modelId tournament: $tournament lastNRounds: $lastNRounds) {
    roundNumber displayName value day resolved
  }
}
"""
STAKE = """
query ($model_name: String $tournament: Int) {
  v3UserProfile(model_name: $model_name tournament: $tournament) { nmrStaked }
}
"""
PAYOUTS = """
query ($tournament: Int!) {
  pendingModelPayouts(tournament: $tournament) {
    actual { modelId roundNumber payoutNmr }
    pending { modelId roundNumber payoutNmr }
  }
}
"""
DOCKER_IMAGES = "query { computePickleDockerImages { name id default } }"
DATA_VERSIONS = "query { computePickleDataVersions { name id default } }"
PICKLE_UPLOAD = """
query ($filename: String! $modelId: String) {
  computePickleUploadAuth(filename: $filename modelId: $modelId) { filename url }
}
"""
PICKLE_CREATE = """
mutation (
  $filename: String! $tournament: Int! $modelId: String $dataVersionId: String
  $dockerImageId: String
) {
  createComputePickleUpload(
    filename: $filename tournament: $tournament modelId: $modelId
    dataVersionId: $dataVersionId dockerImageId: $dockerImageId
  ) { id }
}
"""
PICKLES = """
query {
  account {
    models {
      id
      computePickleUpload {
        id filename validationStatus
        triggers { id status statuses { status description insertedAt } }
      }
    }
  }
}
"""
